package io.millrace.server.downstream;

import io.millrace.server.config.Limits;
import io.millrace.server.http.FrameBudget;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayDeque;

/**
 * Writes the DATA frames of one connection below Netty's codec. Each frame is one buffer and one write, and its length
 * is taken off Netty's windows. Streams hold the bytes that the windows or the socket do not allow yet, and take turns
 * when these open. All that the streams write in one turn of the event loop leaves in one flush, or at once if it is
 * much. Confined to the connection's event loop.
 */
final class Http2Output {
    /** Spare bytes in front of a payload, for the head of its frame. */
    static final int HEAD_BYTES = Http2CodecUtil.FRAME_HEADER_LENGTH;

    /** The longest payload of a frame. Every client accepts this length (RFC 9113 section 4.2). */
    static final int MAX_PAYLOAD = Http2CodecUtil.DEFAULT_MAX_FRAME_SIZE;

    private static final int FLUSH_AT = 16 * 1024;

    private final Channel channel;
    private final Http2Codec codec;
    private final ChannelHandlerContext context;
    private final Http2RemoteFlowController windows;
    private final Http2Stream connection;
    private final FrameBudget budget;
    private final int pending;
    private final Runnable onFlush;
    private final Runnable onRoom;
    private final ArrayDeque<Http2StreamOutput> ready = new ArrayDeque<>();
    private final TurnFlush turn;

    private long held;
    private boolean full;
    private long written;
    private int unflushed;
    private boolean resuming;

    /**
     * Creates the output of a connection.
     *
     * @param codec its handler must be in its pipeline
     * @param pending the bytes that the streams may hold together while upstreams are read
     * @param onFlush called when bytes were written to the kernel, or released
     * @param onRoom called when the streams together hold few bytes again, after they held too many
     */
    Http2Output(Http2Codec codec, FrameBudget budget, int pending, Runnable onFlush, Runnable onRoom) {
        this.codec = codec;
        this.budget = budget;
        this.pending = pending;
        this.onFlush = onFlush;
        this.onRoom = onRoom;
        context = codec.context();
        channel = context.channel();
        windows = codec.encoder().flowController();
        connection = codec.connection().connectionStream();
        turn = new TurnFlush(channel.eventLoop(), this::flush);
    }

    /** The output of one of its streams. */
    Http2StreamOutput of(Http2Stream stream, Limits limits, Http2StreamOutput.Owner owner) {
        return new Http2StreamOutput(this, stream, limits, owner);
    }

    /** Bytes that the streams hold. */
    long held() {
        return held;
    }

    /** Whether the streams together hold so many bytes that no upstream may be read. */
    boolean isFull() {
        return full;
    }

    /** Payload bytes written so far. */
    long written() {
        return written;
    }

    ByteBuf newBuffer(int payload) {
        return context.alloc().ioBuffer(HEAD_BYTES + payload).setIndex(HEAD_BYTES, HEAD_BYTES);
    }

    ChannelPromise newPromise() {
        return context.newPromise();
    }

    ChannelPromise voidPromise() {
        return context.voidPromise();
    }

    /** How many bytes the windows and the socket allow the stream now, in one frame. */
    int allowance(Http2Stream stream) {
        if (!channel.isWritable()) {
            return 0;
        }
        int both = Math.min(windows.windowSize(connection), windows.windowSize(stream));
        return Math.max(0, Math.min(both, MAX_PAYLOAD));
    }

    /**
     * Whether only the connection's window or the socket stops the stream from writing. It then gets a turn when they
     * open.
     */
    boolean mayHaveTurn(Http2Stream stream) {
        return windows.windowSize(stream) > 0;
    }

    /**
     * Writes a frame, without a flush. The windows must allow it.
     *
     * @param framed the payload, behind spare bytes for its head; taken over
     */
    void write(Http2Stream stream, ByteBuf framed, boolean end, ChannelPromise promise) {
        int length = framed.readableBytes();
        int start = framed.readerIndex() - HEAD_BYTES;
        framed.setMedium(start, length);
        framed.setShort(start + 3, end ? 1 : 0); // 0 is the type of DATA; 1 is the flag END_STREAM
        framed.setInt(start + 5, stream.id());
        framed.readerIndex(start);
        if (length > 0) {
            take(connection, length);
            take(stream, length);
        }
        written += length;
        unflushed += length + HEAD_BYTES;
        budget.onDataWritten();
        context.write(framed, promise);
        if (end) {
            codec.closeStreamLocal(stream, context.newSucceededFuture());
        }
    }

    private void take(Http2Stream of, int length) {
        try {
            windows.incrementWindowSize(of, -length);
        } catch (Http2Exception e) {
            throw new IllegalStateException(e); // only a window that grows can become too large
        }
    }

    /** Changes the count of held bytes, which may decrease. */
    void hold(int change) {
        held += change;
        if (held > pending) {
            full = true;
        } else if (full && held <= pending / 2) {
            full = false;
            onRoom.run();
        }
    }

    /** Queues the stream, which has bytes to write, for its turn. */
    void await(Http2StreamOutput stream) {
        ready.add(stream);
    }

    /** Lets the waiting streams write what is allowed now, one frame in each turn. */
    void resume() {
        if (resuming) {
            return;
        }
        resuming = true;
        try {
            while (!ready.isEmpty() && channel.isWritable() && windows.windowSize(connection) > 0) {
                Http2StreamOutput next = ready.poll();
                if (next.writeHeld()) {
                    ready.add(next);
                }
                if (unflushed >= FLUSH_AT) {
                    flush();
                }
            }
        } finally {
            resuming = false;
        }
        if (unflushed > 0) {
            flushSoon();
        }
    }

    /** Ends a stream that is not over. The caller releases what it holds. */
    void reset(Http2Stream stream, Http2Error error) {
        codec.reset(stream.id(), error);
        onFlush.run(); // its held bytes are not flushed
        flushSoon();
    }

    /** Flushes at the end of this turn of the event loop, or at once if much is written. */
    void flushSoon() {
        if (unflushed >= FLUSH_AT) {
            flush();
        } else {
            turn.mark();
        }
    }

    /** Flushes what was written to the kernel. */
    void flush() {
        unflushed = 0;
        context.flush();
        onFlush.run();
    }

    /** Notes that what was written is being flushed. */
    void onFlushed() {
        unflushed = 0;
    }
}
