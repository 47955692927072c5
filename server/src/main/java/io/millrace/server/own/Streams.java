package io.millrace.server.own;

import io.netty.channel.EventLoop;
import java.util.function.Consumer;

/** The streams in progress, on whatever event loop they are. */
@FunctionalInterface
public interface Streams {
    /**
     * Stops a stream, as its client wants.
     *
     * @param id as the stream's client was told it
     * @param key of who asks; only the stream's own client has the same
     * @param asking the event loop that asks
     * @param told on {@code asking}, whether such a stream was stopped
     */
    void stop(String id, byte[] key, EventLoop asking, Consumer<Boolean> told);
}
