package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameListener;

/** Receives the frames of an event stream, as they lie in what was read. */
public interface StreamListener extends SseFrameListener {
    /** Whether what is still to be inflated should wait. */
    default boolean isFull() {
        return false;
    }
}
