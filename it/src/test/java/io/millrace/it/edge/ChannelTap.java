package io.millrace.it.edge;

import io.netty.bootstrap.ChannelInitializerExtension;
import io.netty.channel.Channel;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * Sees every channel that Netty makes in this process, after its options were set and before it is used. It is loaded
 * as a service, because the build sets {@code io.netty.bootstrap.extensions}.
 */
public final class ChannelTap extends ChannelInitializerExtension {
    private static final Queue<Consumer<Channel>> LISTENERS = new ConcurrentLinkedQueue<>();

    /**
     * Calls {@code listener} for each new channel that is not a listener, until the result is closed. The channel has
     * no event loop yet.
     */
    static AutoCloseable listen(Consumer<Channel> listener) {
        LISTENERS.add(listener);
        return () -> LISTENERS.remove(listener);
    }

    @Override
    public void postInitializeClientChannel(Channel channel) {
        LISTENERS.forEach(listener -> listener.accept(channel));
    }

    @Override
    public void postInitializeServerChildChannel(Channel channel) {
        LISTENERS.forEach(listener -> listener.accept(channel));
    }
}
