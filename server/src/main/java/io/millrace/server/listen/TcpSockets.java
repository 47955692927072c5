package io.millrace.server.listen;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.unix.UnixChannelOption;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/**
 * Listening TCP sockets. If the kernel can distribute connections, there is one socket for each event loop, so that
 * one thread accepts, serves and relays a connection.
 */
final class TcpSockets {
    private final Transport transport;

    TcpSockets(Transport transport) {
        this.transport = transport;
    }

    /**
     * Listens at {@code address}.
     *
     * @throws IllegalStateException if it cannot be bound, naming it
     */
    Bound open(Listener listener, HostAndPort address, EventLoopGroup loops, ChannelHandler pipeline) {
        boolean spread = transport.spreadsListeners();
        if (spread) {
            probe(address);
        }
        var acceptors = new ArrayList<EventLoopGroup>();
        if (spread) {
            loops.forEach(executor -> acceptors.add((EventLoop) executor));
        } else {
            acceptors.add(loops);
        }
        var channels = new ArrayList<Channel>();
        int port = address.port();
        for (EventLoopGroup acceptor : acceptors) {
            Channel channel = listen(acceptor, new HostAndPort(address.host(), port), pipeline, channels);
            port = local(channel).getPort();
        }
        String host = local(channels.get(0)).getAddress().getHostAddress();
        return new Bound(listener, new HostAndPort(host, port), channels);
    }

    private Channel listen(EventLoopGroup loops, HostAndPort at, ChannelHandler pipeline, List<Channel> opened) {
        var address = new InetSocketAddress(at.host(), at.port());
        ServerBootstrap bootstrap = Sockets.bootstrap(loops, pipeline)
                .channelFactory(transport.serverChannel(address.getAddress()))
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true);
        transport.watchPeers(bootstrap);
        if (transport.listensOnIpv6Too(address.getAddress())) {
            bootstrap.handler(new Ipv4Only());
        }
        if (transport.spreadsListeners()) {
            bootstrap.option(UnixChannelOption.SO_REUSEPORT, true);
        }
        return Sockets.bind(bootstrap, address, at, opened);
    }

    /**
     * With SO_REUSEPORT a second relay would bind silently and take half of the connections. So the address is first
     * bound without it. That socket does not listen, so no waiting client gets into it and is reset when it closes.
     */
    private static void probe(HostAndPort address) {
        try (var socket = new Socket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(address.host(), address.port()));
        } catch (IOException e) {
            throw new IllegalStateException(
                    "listen: " + address + " cannot be bound: " + e.getMessage() + " (is another relay running?)", e);
        }
    }

    private static InetSocketAddress local(Channel channel) {
        return (InetSocketAddress) channel.localAddress();
    }

    /** Closes connections over IPv6 at a listener for IPv4. */
    private static final class Ipv4Only extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            if (msg instanceof SocketChannel accepted
                    && accepted.remoteAddress().getAddress() instanceof Inet6Address) {
                accepted.unsafe().closeForcibly();
            } else {
                ctx.fireChannelRead(msg);
            }
        }
    }
}
