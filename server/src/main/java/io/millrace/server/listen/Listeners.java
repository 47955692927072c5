package io.millrace.server.listen;

import io.millrace.server.config.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.transport.Backlog;
import io.millrace.server.transport.Transport;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoopGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** The open listeners of a relay. */
public final class Listeners {
    private final TcpSockets tcp;
    private final List<Bound> open = new ArrayList<>();

    /** None yet; those to come are of {@code transport}. */
    public Listeners(Transport transport) {
        tcp = new TcpSockets(transport);
    }

    /**
     * Opens a listener.
     *
     * @param loops that serve its connections
     * @param pipeline makes the pipeline of each
     * @throws IllegalStateException if its address cannot be bound, naming it
     */
    public void open(Listener listener, EventLoopGroup loops, ChannelHandler pipeline) {
        if (listener.address() instanceof HostAndPort address) {
            open.add(tcp.open(listener, address, loops, pipeline));
        } else {
            throw new IllegalStateException("listen: " + listener.address() + " cannot be bound: not supported");
        }
    }

    /** Those that are open, in the order in which they were opened. */
    public List<Bound> bound() {
        return List.copyOf(open);
    }

    /**
     * Accepts those who wait at the listeners that are {@code wanted}, and closes these; then {@code closed} runs, on an event
     * loop unless there are none.
     */
    public void serveAndClose(Predicate<Listener> wanted, Runnable closed) {
        List<Channel> channels = channels(wanted);
        if (channels.isEmpty()) {
            closed.run();
        }
        var left = new AtomicInteger(channels.size());
        for (Channel channel : channels) {
            Backlog.serveAndClose(channel, () -> {
                if (left.decrementAndGet() == 0) {
                    closed.run();
                }
            });
        }
    }

    /** Closes all at once. */
    public void close() {
        channels(listener -> true).forEach(Channel::close);
    }

    private List<Channel> channels(Predicate<Listener> wanted) {
        return open.stream()
                .filter(bound -> wanted.test(bound.listener()))
                .flatMap(bound -> bound.channels().stream())
                .toList();
    }
}
