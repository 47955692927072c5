package io.millrace.server.listen;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.AbstractEpollServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A unix socket at which another process of the same user may take the listening sockets over. This process hands out
 * copies of them, and serves as before until the other one says that it serves. For any thread.
 */
public final class ControlSocket implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlSocket.class);

    private static final int MODE = 0600;

    private final Path path;
    private final SocketFile file;
    private final List<Bound> bound;
    private final Runnable handedOver;
    private final MultiThreadIoEventLoopGroup loop;
    private final Channel channel;
    /** The conversation in progress. Confined to the loop. */
    private @Nullable GivingHandler giving;

    private ControlSocket(Path path, List<Bound> bound, Runnable handedOver) throws IOException {
        this.bound = List.copyOf(bound);
        this.handedOver = handedOver;
        this.path = path;
        file = SocketFile.at(path);
        loop = newLoop();
        ChannelFuture opened = new ServerBootstrap()
                .group(loop)
                .channel(EpollServerDomainSocketChannel.class)
                .childHandler(new ChannelInitializer<EpollDomainSocketChannel>() {
                    @Override
                    protected void initChannel(EpollDomainSocketChannel client) throws IOException {
                        onClient(client);
                    }
                })
                .bind(new DomainSocketAddress(file.beside().toString()))
                .awaitUninterruptibly();
        channel = opened.channel();
        try {
            if (!opened.isSuccess()) {
                throw new IOException(opened.cause().getMessage(), opened.cause());
            }
            file.publish(MODE);
        } catch (IOException e) {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            throw e;
        }
    }

    /**
     * Opens it.
     *
     * @param path of the socket; what is left there of a process that has ended is replaced
     * @param bound the listeners that are handed out
     * @param handedOver runs when another process has taken over and serves; this one is to end
     * @throws IllegalStateException if it cannot be opened, or is another process's, saying why
     */
    public static ControlSocket open(Path path, List<Bound> bound, Runnable handedOver) {
        boolean shareable = bound.stream()
                .flatMap(each -> each.channels().stream())
                .allMatch(channel -> channel instanceof AbstractEpollServerChannel);
        if (!Epoll.isAvailable() || !shareable) {
            throw new IllegalStateException("takeover: " + path + " cannot be opened (expected: transport epoll)");
        }
        try {
            return new ControlSocket(path, bound, handedOver);
        } catch (IOException e) {
            throw new IllegalStateException("takeover: " + path + " cannot be opened: " + e.getMessage(), e);
        }
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    static MultiThreadIoEventLoopGroup newLoop() {
        return new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("millrace-control", true), EpollIoHandler.newFactory());
    }

    static int ownUser() throws IOException {
        return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    private void onClient(EpollDomainSocketChannel client) throws IOException {
        int user = client.peerCredentials().uid();
        if (user != ownUser()) {
            LOG.warn("a process of user {} may not take this one's sockets over", user);
            client.close();
            return;
        }
        if (giving != null) {
            LOG.warn("a second process has asked for the sockets, and was refused");
            client.close();
            return;
        }
        giving = new GivingHandler(bound, this::letGo, () -> giving = null);
        client.pipeline().addLast(ControlLines.decoders()).addLast(giving);
    }

    /** The other process serves, and may now open a control socket of its own at the same path. */
    private void letGo() {
        channel.close();
        file.remove();
        handedOver.run();
    }

    @Override
    public void close() {
        file.remove();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
