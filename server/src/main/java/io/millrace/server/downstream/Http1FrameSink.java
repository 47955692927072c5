package io.millrace.server.downstream;

import io.millrace.server.http.HeadWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/**
 * Writes one streamed response to one client: head, frames, end. What is appended between two writes leaves in one buffer
 * and one system call (but for a head before which frames were held: in two buffers): copying a few hundred bytes costs less than a scatter write of several pieces. Whole chunks that
 * nothing goes before leave as a slice of what was read. Until the response is begun nothing is written, and what is
 * appended is held.
 *
 * <p>Confined to the connection's event loop.
 */
final class Http1FrameSink implements FrameSink {
    private static final int FIRST_BYTES = 512;
    /** The most that the size of a chunk and its two CRLF take. */
    private static final int CHUNK_FRAMING = 12;

    /** A buffer with so much in it does not grow any more. */
    private static final int FULL_BYTES = 16 * 1024;

    /** Behind something that is pending anyway, fewer bytes than these are copied. */
    private static final int SLICE_FROM = 4 * 1024;

    private static final int SHORT_CRLF = '\r' << 8 | '\n';
    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
    private static final byte[] LAST_CHUNK = {'0', '\r', '\n', '\r', '\n'};

    private final ChannelHandlerContext context;
    private final boolean chunked;
    private boolean begun;
    private @Nullable ByteBuf out;
    private long bodyBytes;
    private long bodyBytesOut;

    /**
     * @param context the context of the HTTP encoder: what is written from here passes it by
     * @param chunked whether the body is chunked; else it is delimited by the end of the connection
     */
    Http1FrameSink(ChannelHandlerContext context, boolean chunked) {
        this.context = context;
        this.chunked = chunked;
    }

    @Override
    public long bodyBytes() {
        return bodyBytes;
    }

    @Override
    public boolean hasPending() {
        return out != null;
    }

    @Override
    public int pendingBytes() {
        return out == null ? 0 : out.readableBytes();
    }

    /** The bytes become one chunk. */
    @Override
    public void append(ByteBuf frames, int start, int end) {
        int length = end - start;
        ByteBuf to = room(length + CHUNK_FRAMING);
        if (chunked) {
            writeChunkSize(to, length);
        }
        to.writeBytes(frames, start, length);
        if (chunked) {
            to.writeShort(SHORT_CRLF);
        }
        bodyBytes += length;
        bodyBytesOut += length;
    }

    @Override
    public boolean takesChunks() {
        return chunked;
    }

    @Override
    public void appendChunks(ByteBuf raw, int start, int end, int length) {
        bodyBytes += length;
        // A slow client must not hold the whole buffer of each read, of which its slice may be a small part.
        if (begun && (out == null || end - start >= SLICE_FROM) && !isBackedUp()) {
            write();
            context.write(raw.retainedSlice(start, end - start), context.voidPromise());
            return;
        }
        room(end - start).writeBytes(raw, start, end - start);
        bodyBytesOut += length;
    }

    @Override
    public void write(@Nullable Runnable written) {
        if (written != null) {
            write(noticeOf(written));
        } else if (out != null) {
            write(context.voidPromise());
        }
    }

    /** As {@link #write(Runnable)}, and writes in any case. */
    void write(ChannelPromise promise) {
        ByteBuf buffer = out == null ? context.alloc().buffer(0, 0) : out;
        out = null;
        bodyBytesOut = 0;
        context.write(buffer, promise);
    }

    private ChannelPromise noticeOf(Runnable written) {
        return context.newPromise().addListener(done -> {
            if (done.isSuccess()) {
                written.run();
            }
        });
    }

    @Override
    public void discard() {
        if (out != null) {
            bodyBytes -= bodyBytesOut;
            bodyBytesOut = 0;
            out.release();
            out = null;
        }
    }

    /** Begins the response: {@code head} goes before what was appended. */
    void begin(HttpResponse head) {
        begun = true;
        if (out == null) {
            HeadWriter.write(head, room(FIRST_BYTES));
            return;
        }
        ByteBuf first = context.alloc().ioBuffer(FIRST_BYTES);
        HeadWriter.write(head, first);
        context.write(first, context.voidPromise());
    }

    /** Goes on with the response that {@code before} began, of which nothing is pending. */
    void goOn(Http1FrameSink before) {
        begun = true;
        bodyBytes += before.bodyBytes;
    }

    /** Appends the end of the body, where it has one. */
    void appendEnd() {
        if (chunked) {
            room(LAST_CHUNK.length).writeBytes(LAST_CHUNK);
        }
    }

    /** Whether the kernel did not take all that was flushed. */
    private boolean isBackedUp() {
        var outbound = context.channel().unsafe().outboundBuffer();
        return outbound == null || !outbound.isEmpty();
    }

    private ByteBuf room(int length) {
        if (begun && out != null && out.readableBytes() >= FULL_BYTES && out.writableBytes() < length) {
            write(); // to grow it would cost a copy, and hold nearly twice of what is in it
        }
        if (out == null) {
            out = context.alloc().ioBuffer(Math.max(FIRST_BYTES, length + LAST_CHUNK.length));
        }
        return out.ensureWritable(length);
    }

    private static void writeChunkSize(ByteBuf to, int length) {
        int shift = (Integer.SIZE - Integer.numberOfLeadingZeros(length) - 1) & ~3;
        for (; shift >= 0; shift -= 4) {
            to.writeByte(HEX[length >>> shift & 0xf]);
        }
        to.writeShort(SHORT_CRLF);
    }
}
