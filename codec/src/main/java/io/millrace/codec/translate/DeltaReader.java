package io.millrace.codec.translate;

import io.netty.buffer.ByteBuf;

/** Reads an upstream's stream, frame by frame, or its whole answer. One per stream or answer. */
public interface DeltaReader {
    /**
     * Reads one whole SSE frame, {@code buf[start, end)}. No input makes this throw: what is no such frame is an
     * {@linkplain DeltaSink#error error}.
     *
     * @param buf remains with the caller, its indices are not moved
     */
    void frame(ByteBuf buf, int start, int end, DeltaSink out);

    /**
     * The body ended cleanly. Where a dialect has no last frame, or the upstream left it out, this ends the answer, if it
     * has said why it stops; else it does nothing, and the stream is cut.
     */
    void finish(DeltaSink out);

    /** How many bytes of what was read this keeps, estimated from above. It costs nothing to ask. */
    default long heldBytes() {
        return 0;
    }

    /** Reads the body of an answer that is not streamed, from {@code start} to {@code end} or {@code error}. */
    void answer(byte[] body, DeltaSink out);
}
