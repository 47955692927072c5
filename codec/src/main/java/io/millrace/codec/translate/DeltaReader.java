package io.millrace.codec.translate;

import io.netty.buffer.ByteBuf;

/** Reads an upstream's stream, frame by frame, or its whole answer. One per stream or answer. */
public interface DeltaReader {
    /**
     * Reads one whole SSE frame, {@code buf[start, end)}. No input makes this throw: bytes that are not such a frame
     * are an {@linkplain DeltaSink#error error}.
     *
     * @param buf remains with the caller, its indices are not moved
     */
    void frame(ByteBuf buf, int start, int end, DeltaSink out);

    /**
     * The body ended cleanly. This ends an answer whose stop was reported, if the last frame is missing or the dialect
     * has none. Otherwise it does nothing, because the stream was cut.
     */
    void finish(DeltaSink out);

    /** An upper estimate of the bytes of the stream that this keeps. The call is cheap. */
    default long heldBytes() {
        return 0;
    }

    /** Reads the body of an answer that is not streamed, from {@code start} to {@code end} or {@code error}. */
    void answer(byte[] body, DeltaSink out);
}
