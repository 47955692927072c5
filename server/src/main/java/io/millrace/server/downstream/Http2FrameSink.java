package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Gathers what is appended to one response into DATA frames: one buffer, with room for the frame's head before it, which then
 * leaves as it is. Until the response is begun nothing is written, and all of it is in one buffer. Confined to the
 * connection's event loop.
 */
final class Http2FrameSink implements FrameSink {
    private static final int FIRST_BYTES = 512;
    private static final int HEAD_BYTES = Http2Output.HEAD_BYTES;
    private static final int MAX_PAYLOAD = Http2Output.MAX_PAYLOAD;

    private final ByteBufAllocator alloc;
    private @Nullable Http2StreamOutput output;
    private @Nullable ByteBuf out;
    private boolean writtenEarly;
    private long bodyBytes;

    Http2FrameSink(ByteBufAllocator alloc) {
        this.alloc = alloc;
    }

    @Override
    public long bodyBytes() {
        return bodyBytes;
    }

    @Override
    public boolean hasPending() {
        return out != null || writtenEarly;
    }

    @Override
    public int pendingBytes() {
        return out == null ? 0 : out.readableBytes();
    }

    @Override
    public void onRead(ByteBuf raw) {
        // All of it is copied as it is appended: the frames of HTTP/1.1 are none of HTTP/2.
    }

    @Override
    public void onChunk(int start, int data, int end) {
        // As above.
    }

    @Override
    public void onReadEnd() {
        // As above.
    }

    @Override
    public void append(ByteBuf frames, int start, int end) {
        bodyBytes += end - start;
        if (output == null) {
            room(end - start).writeBytes(frames, start, end - start);
            return;
        }
        int at = start;
        while (at < end) {
            int length = Math.min(end - at, MAX_PAYLOAD - pendingBytes());
            if (length > 0) {
                room(length).writeBytes(frames, at, length);
                at += length;
            }
            if (pendingBytes() >= MAX_PAYLOAD) {
                writtenEarly = true;
                output.write(take(), false, null);
            }
        }
    }

    @Override
    public void write(@Nullable Runnable written) {
        writtenEarly = false;
        if (output != null && (out != null || written != null)) {
            output.write(take(), false, written);
        }
    }

    @Override
    public void discard() {
        if (out != null) {
            bodyBytes -= out.readableBytes();
            out.release();
            out = null;
        }
    }

    /** Begins the response, whose head is written: what was appended goes to {@code to}. */
    void begin(Http2StreamOutput to) {
        output = to;
    }

    /** Goes on with the response that {@code before} began, of which nothing is pending. */
    void goOn(Http2FrameSink before) {
        output = before.output;
        bodyBytes += before.bodyBytes;
    }

    /**
     * Writes what was appended as the last of the response.
     *
     * @param written runs when the kernel has all of it; may be null
     */
    void end(@Nullable Runnable written) {
        writtenEarly = false;
        if (output != null) {
            output.write(take(), true, written);
        }
    }

    private @Nullable ByteBuf take() {
        ByteBuf taken = out;
        out = null;
        return taken;
    }

    private ByteBuf room(int length) {
        if (out == null) {
            out = alloc.ioBuffer(HEAD_BYTES + Math.max(FIRST_BYTES, length)).setIndex(HEAD_BYTES, HEAD_BYTES);
        }
        return out.ensureWritable(length);
    }
}
