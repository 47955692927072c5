package io.millrace.codec.dialect;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;

/**
 * The bytes of the frame that a thread's inspectors read, and the cursor on them. Each thread has one. No inspector
 * keeps the cursor beyond one frame.
 */
final class InspectorScratch {
    private static final int INITIAL_BYTES = 4096;
    private static final int KEPT_BYTES = 64 * 1024;
    private static final int SHORT_FRAMES_TO_SHRINK = 256;
    private static final FastThreadLocal<InspectorScratch> CURRENT = new FastThreadLocal<>() {
        @Override
        protected InspectorScratch initialValue() {
            return new InspectorScratch();
        }
    };

    private final JsonCursor cursor = new JsonCursor();
    private byte[] bytes = new byte[INITIAL_BYTES];
    private int shortFrames;

    private InspectorScratch() {}

    /** This thread's cursor on {@code buf[from, to)}. The bytes are copied unless the buffer has an array. */
    static JsonCursor cursor(ByteBuf buf, int from, int to) {
        InspectorScratch scratch = CURRENT.get();
        if (buf.hasArray()) {
            int offset = buf.arrayOffset();
            return scratch.cursor.over(buf.array(), offset + from, offset + to);
        }
        int length = to - from;
        byte[] bytes = scratch.fit(length);
        if (buf.nioBufferCount() == 1) {
            // Like getBytes, without the view that getBytes allocates unless the JIT removes it.
            buf.internalNioBuffer(from, length).get(bytes, 0, length);
        } else {
            buf.getBytes(from, bytes, 0, length);
        }
        return scratch.cursor.over(bytes, 0, length);
    }

    /** This thread's cursor on {@code bytes[from, to)}. */
    static JsonCursor cursor(byte[] bytes, int from, int to) {
        return CURRENT.get().cursor.over(bytes, from, to);
    }

    /** How many bytes this thread keeps for the next frame. */
    static int keptBytes() {
        return CURRENT.get().bytes.length;
    }

    /**
     * Grows at once. Shrinks after some time without long frames, so that one long frame does not occupy memory for
     * ever.
     */
    private byte[] fit(int length) {
        if (bytes.length < length) {
            bytes = new byte[Integer.highestOneBit(length) << 1];
        }
        if (length > KEPT_BYTES || bytes.length <= KEPT_BYTES) {
            shortFrames = 0;
        } else if (++shortFrames > SHORT_FRAMES_TO_SHRINK) {
            bytes = new byte[KEPT_BYTES];
        }
        return bytes;
    }
}
