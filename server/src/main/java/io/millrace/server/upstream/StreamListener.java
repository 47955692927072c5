package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameListener;
import io.netty.buffer.ByteBuf;

/**
 * Receives the frames of a {@link StreamBody}, and where they lie in what was read, so that frames which came in chunks
 * of their own can leave in the same chunks, without a copy.
 */
public interface StreamListener extends SseFrameListener {
    /** The frames until {@link #onReadEnd} that are reported in {@code raw} stay there until then. */
    void onRead(ByteBuf raw);

    /**
     * All of one chunk has been cut: the bytes {@code [start, end)} of the buffer being read are its size, its data from
     * index {@code data} on, and CRLF.
     */
    void onChunk(int start, int data, int end);

    /** The buffer given to {@link #onRead} is about to go. */
    void onReadEnd();

    /** Whether what is still to be inflated should wait. */
    default boolean isFull() {
        return false;
    }
}
