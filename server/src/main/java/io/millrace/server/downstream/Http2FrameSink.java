package io.millrace.server.downstream;

import io.millrace.server.memory.WarmBuffers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Gathers what is appended to one response into DATA frames. It uses one buffer, which has room for the frame's head
 * in front and leaves without a copy. Until the response has begun, nothing is written, and everything is in one
 * buffer. Confined to the connection's event loop.
 */
final class Http2FrameSink implements FrameSink {
    private static final int FIRST_BYTES = 512;
    private static final int HEAD_BYTES = Http2Output.HEAD_BYTES;
    private static final int MAX_PAYLOAD = Http2Output.MAX_PAYLOAD;

    private final ByteBufAllocator alloc;
    private final WarmBuffers buffers = WarmBuffers.current();
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
        // Nothing to do: every append is copied, because HTTP/2 cannot use the chunks of HTTP/1.1.
    }

    @Override
    public void onChunk(int start, int data, int end) {
        // Nothing to do, for the same reason.
    }

    @Override
    public void onReadEnd() {
        // Nothing to do, for the same reason.
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

    /** Begins the response, whose head is written. What was appended goes to {@code to}. */
    void begin(Http2StreamOutput to) {
        output = to;
        writtenEarly = true; // the head, which also waits for a flush
    }

    /** Continues the response that {@code before} began and that has nothing pending. */
    void goOn(Http2FrameSink before) {
        output = before.output;
        bodyBytes += before.bodyBytes;
    }

    /**
     * Writes what was appended as the last part of the response.
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
            int bytes = HEAD_BYTES + Math.max(FIRST_BYTES, length);
            out = output == null ? alloc.ioBuffer(bytes) : buffers.take(alloc, bytes);
            out.setIndex(HEAD_BYTES, HEAD_BYTES);
        }
        return out.ensureWritable(length);
    }
}
