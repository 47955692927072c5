package io.millrace.server.listen;

import io.millrace.server.config.ListenAddress;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import java.net.SocketAddress;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The parts that all kinds of listening sockets share. */
final class Sockets {
    private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);
    /** The most connections that the kernel lets wait at a socket. */
    static final int BACKLOG = 4096;

    private Sockets() {}

    /** A bootstrap whose channels accept on {@code loops}. */
    static ServerBootstrap bootstrap(EventLoopGroup loops, ChannelHandler pipeline) {
        return new ServerBootstrap()
                .group(loops)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.RECVBUF_ALLOCATOR, Transport.ACCEPTS)
                .childHandler(pipeline);
    }

    /**
     * Binds.
     *
     * @param opened gets the channel
     * @throws IllegalStateException if it fails, naming {@code named}
     */
    static Channel bind(ServerBootstrap bootstrap, SocketAddress address, ListenAddress named, List<Channel> opened) {
        ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            opened.forEach(Channel::close);
            throw new IllegalStateException(
                    "listen: " + named + " cannot be bound: " + bound.cause().getMessage(), bound.cause());
        }
        LOG.debug("listening on {}", bound.channel().localAddress());
        opened.add(bound.channel());
        return bound.channel();
    }
}
