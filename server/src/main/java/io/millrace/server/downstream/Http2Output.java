package io.millrace.server.downstream;

import io.millrace.server.config.Limits;
import io.millrace.server.downstream.Http2Windows.Window;
import io.millrace.server.http.FrameBudget;
import io.millrace.server.transport.Transport;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Writes the DATA frames of one connection below Netty's codec. Each frame is one buffer and one write, and its length
 * is taken off the client's windows. Streams hold the bytes that the windows or the socket do not allow yet, and take turns
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
    private final ClientOutput client;
    private final Window whole;
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
    private boolean backedUp;

    /**
     * Creates the output of a connection.
     *
     * @param client where its bytes go
     * @param codec its handler must be in its pipeline
     * @param pending the bytes that the streams may hold together while upstreams are read
     * @param onFlush called when bytes were written to the kernel, or released
     * @param onRoom called when the streams together hold few bytes again, after they held too many
     */
    Http2Output(
            ClientOutput client, Http2Codec codec, FrameBudget budget, int pending, Runnable onFlush, Runnable onRoom) {
        this.client = client;
        this.codec = codec;
        this.budget = budget;
        this.pending = pending;
        this.onFlush = onFlush;
        this.onRoom = onRoom;
        channel = codec.context().channel();
        whole = codec.windows().whole();
        turn = new TurnFlush(Transport.turnEnd(channel.eventLoop()), this::flush);
    }

    /** The output of one of its streams. */
    Http2StreamOutput of(Http2Stream stream, Limits limits, Http2StreamOutput.Owner owner) {
        var windows = codec.windows();
        var output = new Http2StreamOutput(this, stream, windows.of(stream), limits, owner);
        windows.replace(stream, output);
        return output;
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
        return client.alloc().ioBuffer(HEAD_BYTES + payload).setIndex(HEAD_BYTES, HEAD_BYTES);
    }

    ChannelPromise newPromise() {
        return client.newPromise();
    }

    /** How many bytes the windows and the socket allow a stream now, in one frame. */
    int allowance(Window window) {
        if (!channel.isWritable()) {
            return 0;
        }
        int both = Math.min(whole.size(), window.size());
        return Math.max(0, Math.min(both, MAX_PAYLOAD));
    }

    /**
     * Writes a frame, without a flush. The windows must allow it.
     *
     * @param window the stream's
     * @param framed the payload, behind spare bytes for its head; taken over
     * @param taken completed when the kernel has it; may be null
     */
    void write(Http2Stream stream, Window window, ByteBuf framed, boolean end, @Nullable ChannelPromise taken) {
        int length = framed.readableBytes();
        int start = framed.readerIndex() - HEAD_BYTES;
        int id = window.streamId();
        // Length (3 bytes), type (0 is DATA), flags (1 is END_STREAM) and three bytes of the id; then its last byte.
        framed.setLong(start, (long) length << 40 | (end ? 1L << 24 : 0) | id >>> 8);
        framed.setByte(start + 8, id);
        framed.readerIndex(start);
        whole.take(length);
        window.take(length);
        written += length;
        unflushed += length + HEAD_BYTES;
        budget.onDataWritten();
        if (taken == null) {
            client.write(framed);
        } else {
            client.write(framed, taken);
        }
        if (end) {
            codec.closeStreamLocal(stream, channel.newSucceededFuture());
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
            while (!ready.isEmpty() && channel.isWritable() && whole.size() > 0) {
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
        boolean taken = client.flush();
        if (!taken || backedUp || held > 0) {
            onFlush.run();
        }
        backedUp = !taken || held > 0;
    }

    /** Notes that what was written is being flushed. */
    void onFlushed() {
        unflushed = 0;
    }
}
