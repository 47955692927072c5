package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameListener;

/** Receives the frames of an event stream, in place in the buffer that was read. */
public interface StreamListener extends SseFrameListener {
    /** Whether data that is left to be inflated should wait. */
    default boolean isFull() {
        return false;
    }
}
