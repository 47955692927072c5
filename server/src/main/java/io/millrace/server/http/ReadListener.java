package io.millrace.server.http;

import io.netty.buffer.ByteBuf;

/**
 * Receives the places of a body in the buffer that was read. So data that arrived in chunks can leave in the same
 * chunks, without a copy. Its calls come on the event loop that reads.
 */
public interface ReadListener {
    /** A buffer was read. The bytes that are reported in {@code raw} stay there until {@link #onReadEnd}. */
    void onRead(ByteBuf raw);

    /**
     * One complete chunk has been reported. The bytes {@code [start, end)} of the buffer being read are its size, its
     * data from index {@code data} on, and CRLF. Only for a body in the chunked transfer coding of HTTP/1.1.
     */
    default void onChunk(int start, int data, int end) {}

    /** The buffer given to {@link #onRead} is about to be released. */
    default void onReadEnd() {}
}
