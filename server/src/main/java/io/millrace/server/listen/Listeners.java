package io.millrace.server.listen;

import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener;
import io.millrace.server.transport.Transport;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoopGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** The open listeners of a relay. */
public final class Listeners {
    private final TcpSockets tcp;
    private final UnixSockets unix;
    private final AdoptedSockets adopted;
    private final InheritedSockets inherited;
    private final List<Open> open = new CopyOnWriteArrayList<>();

    /** A listener, and the action that stops new clients from reaching it. */
    private record Open(Bound bound, Runnable hide) {}

    /**
     * None yet; those to come are of {@code transport}.
     *
     * @param inherited sockets that are taken in place of new ones
     */
    public Listeners(Transport transport, InheritedSockets inherited) {
        this.inherited = inherited;
        tcp = new TcpSockets(transport);
        unix = new UnixSockets(transport);
        adopted = new AdoptedSockets(transport, unix);
    }

    /**
     * Opens a listener.
     *
     * @param loops that serve its connections
     * @param pipeline makes the pipeline of each
     * @throws IllegalStateException if its address cannot be bound, naming it
     */
    public void open(Listener listener, EventLoopGroup loops, ChannelHandler pipeline) {
        ListenAddress address = listener.address();
        List<Integer> descriptors = inherited.take(address.toString());
        if (!descriptors.isEmpty()) {
            Runnable hide = address instanceof UnixPath at ? unix.existing(at)::remove : () -> {};
            open.add(new Open(adopted.open(listener, descriptors, loops, pipeline), hide));
        } else if (address instanceof HostAndPort at) {
            open.add(new Open(tcp.open(listener, at, loops, pipeline), () -> {}));
        } else if (address instanceof UnixPath at) {
            SocketFile file = unix.file(at);
            open.add(new Open(unix.open(listener, at, file, loops, pipeline), file::remove));
        } else {
            throw new IllegalStateException("listen: " + address
                    + " was not passed (expected: FileDescriptorName= of a socket unit; passed: " + inherited.left()
                    + ")");
        }
    }

    /** The open listeners, in the order in which they were opened. */
    public List<Bound> bound() {
        return open.stream().map(Open::bound).toList();
    }

    /**
     * Accepts the clients that wait at the {@code wanted} listeners, and closes these listeners. Then {@code closed}
     * runs, on an event loop if any listener was closed.
     */
    public void serveAndClose(Predicate<Listener> wanted, Runnable closed) {
        List<Channel> channels = hide(wanted);
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

    /**
     * Accepts no more connections, at once. Then {@code closed} runs, on an event loop. The sockets and the clients
     * that wait at them stay, because they belong to another process.
     */
    public void letGo(Runnable closed) {
        var channels = new ArrayList<Channel>();
        open.forEach(each -> channels.addAll(each.bound().channels()));
        open.clear();
        var left = new AtomicInteger(channels.size());
        for (Channel channel : channels) {
            channel.close().addListener(done -> {
                if (left.decrementAndGet() == 0) {
                    closed.run();
                }
            });
        }
    }

    /** Closes all at once. */
    public void close() {
        hide(listener -> true).forEach(Channel::close);
    }

    /** The channels of the {@code wanted} listeners, which new clients cannot reach any more. */
    private List<Channel> hide(Predicate<Listener> wanted) {
        var channels = new ArrayList<Channel>();
        for (Open each : open) {
            if (wanted.test(each.bound().listener())) {
                each.hide().run();
                channels.addAll(each.bound().channels());
            }
        }
        return channels;
    }
}
