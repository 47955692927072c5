package io.millrace.server.listen;

import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listening sockets that another process has opened. If there is one for each event loop, one thread accepts, serves
 * and relays a connection. If there are fewer, the loops that accept distribute connections to all loops in turn.
 */
final class AdoptedSockets {
    private static final Logger LOG = LoggerFactory.getLogger(AdoptedSockets.class);
    private static final int SOL_SOCKET = 1;
    private static final int SO_TYPE = 3;
    private static final int SO_ACCEPTCONN = 30;
    private static final int SO_DOMAIN = 39;
    private static final int STREAM = 1;
    private static final int UNIX = 1;
    private static final int INET = 2;
    private static final int INET6 = 10;
    private static final int NONBLOCK = 04000;

    private final Transport transport;
    private final UnixSockets unix;

    AdoptedSockets(Transport transport, UnixSockets unix) {
        this.transport = transport;
        this.unix = unix;
    }

    /**
     * Listens at the sockets {@code descriptors}, and owns them from now on.
     *
     * @throws IllegalStateException if one of them is no socket to listen at, naming the listener's address
     */
    Bound open(Listener listener, List<Integer> descriptors, EventLoopGroup loops, ChannelHandler pipeline) {
        var acceptors = new ArrayList<EventLoop>();
        loops.forEach(executor -> acceptors.add((EventLoop) executor));
        boolean spread = descriptors.size() >= acceptors.size();
        var channels = new ArrayList<Channel>();
        try {
            for (int descriptor : descriptors) {
                EventLoop acceptor = acceptors.get(channels.size() % acceptors.size());
                channels.add(adopt(listener, descriptor, acceptor, spread ? acceptor : loops, pipeline));
            }
            return new Bound(listener, address(listener, descriptors.get(0), channels.get(0)), channels);
        } catch (IOException e) {
            channels.forEach(Channel::close);
            throw new IllegalStateException(
                    "listen: " + listener.address() + " cannot be taken over: " + e.getMessage(), e);
        }
    }

    private Channel adopt(
            Listener listener, int descriptor, EventLoop acceptor, EventLoopGroup children, ChannelHandler pipeline)
            throws IOException {
        int family = family(descriptor);
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(acceptor, children)
                .option(ChannelOption.RECVBUF_ALLOCATOR, Transport.ACCEPTS)
                .childHandler(pipeline);
        if (listener.address() instanceof UnixPath address) {
            unix.restrict(bootstrap, listener, address);
        }
        if (family == UNIX) {
            bootstrap.channelFactory(() -> new EpollServerDomainSocketChannel(descriptor, true));
        } else {
            bootstrap.channelFactory(() -> new EpollServerSocketChannel(descriptor));
            bootstrap.childOption(ChannelOption.TCP_NODELAY, true);
            transport.watchPeers(bootstrap);
        }
        ChannelFuture registered = bootstrap.register().awaitUninterruptibly();
        if (!registered.isSuccess()) {
            throw new IOException(registered.cause().getMessage(), registered.cause());
        }
        LOG.debug("listening on {}", registered.channel().localAddress());
        return registered.channel();
    }

    /** The address family of a socket. Refuses a socket that blocks. */
    private int family(int descriptor) throws IOException {
        if (transport != Transport.EPOLL) {
            throw new IOException("the transport is " + transport.label() + " (expected: epoll)");
        }
        Socket socket = socket(descriptor);
        int family = socket.getIntOpt(SOL_SOCKET, SO_DOMAIN);
        boolean listens = socket.getIntOpt(SOL_SOCKET, SO_ACCEPTCONN) != 0;
        boolean streams = socket.getIntOpt(SOL_SOCKET, SO_TYPE) == STREAM;
        if (!listens || !streams || (family != UNIX && family != INET && family != INET6)) {
            throw new IOException("descriptor " + descriptor + " is no listening socket of streams");
        }
        if (blocks(descriptor)) {
            throw new IOException(
                    "descriptor " + descriptor + " blocks (expected: NonBlocking=yes in the service's unit)");
        }
        return family;
    }

    private static Socket socket(int descriptor) throws IOException {
        try {
            return new Socket(descriptor);
        } catch (ChannelException e) {
            throw new IOException("descriptor " + descriptor + " is no socket", e);
        }
    }

    private static boolean blocks(int descriptor) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + descriptor))) {
            if (line.startsWith("flags:")) {
                return (Integer.parseInt(line.substring("flags:".length()).strip(), 8) & NONBLOCK) == 0;
            }
        }
        return false;
    }

    private static ListenAddress address(Listener listener, int descriptor, Channel channel) {
        if (channel.localAddress() instanceof InetSocketAddress local) {
            return new HostAndPort(local.getAddress().getHostAddress(), local.getPort());
        }
        DomainSocketAddress local = new Socket(descriptor).localDomainSocketAddress();
        boolean hasPath = local != null && local.path().startsWith("/");
        return hasPath ? new UnixPath(Path.of(local.path())) : listener.address();
    }
}
