package io.millrace.server.listen;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the listening sockets over from a running process. That process serves as before until {@link #go}. If this is
 * closed before that, nothing changes.
 */
public final class TakeOver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TakeOver.class);
    private static final int DEATH_S = 1;
    private static final int LOOK_EVERY_MS = 10;

    private final Path control;
    private final MultiThreadIoEventLoopGroup loop = ControlSocket.newLoop();
    private final TakingHandler taking = new TakingHandler();
    private final Channel channel;
    private final InheritedSockets sockets;

    private TakeOver(Path control) {
        this.control = control;
        ChannelFuture connected = new Bootstrap()
                .group(loop)
                .channel(EpollDomainSocketChannel.class)
                .handler(new ChannelInitializer<EpollDomainSocketChannel>() {
                    @Override
                    protected void initChannel(EpollDomainSocketChannel old) {
                        old.pipeline().addLast(ControlLines.decoders()).addLast(taking);
                    }
                })
                .connect(new DomainSocketAddress(control.toString()))
                .awaitUninterruptibly();
        channel = connected.channel();
        try {
            if (!connected.isSuccess()) {
                throw failure(connected.cause());
            }
            checkUser((EpollDomainSocketChannel) channel);
            sockets = await(taking.sockets());
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Asks the process that listens at {@code control} for its sockets, and waits for them.
     *
     * @throws IllegalStateException if it does not give them, saying why
     */
    public static TakeOver of(Path control) {
        if (!Epoll.isAvailable()) {
            throw new IllegalStateException("takeover: only epoll on Linux can take sockets over");
        }
        return new TakeOver(control);
    }

    /** The sockets that were handed over. */
    public InheritedSockets sockets() {
        return sockets;
    }

    /**
     * Tells the other process that this one serves, and waits until it has released the sockets and the path of the
     * control socket. If that process is dead, nobody else accepts at the sockets, and this one may serve at once.
     *
     * @throws IllegalStateException if it does not answer, and still runs
     */
    public void go() {
        ControlLines.say(channel, ControlLines.GO);
        try {
            await(taking.gone());
        } catch (IllegalStateException e) {
            if (!isOtherDead()) {
                throw e;
            }
            LOG.warn(
                    "the process at {} has ended before it released the sockets: this process serves in its place",
                    control);
        }
    }

    /** The kernel closes all sockets of a dead process, but not all at the same moment. */
    private boolean isOtherDead() {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEATH_S);
        while (System.nanoTime() < until) {
            if (!Files.exists(control) || !SocketFile.isListenedAt(control)) {
                return true;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_EVERY_MS));
        }
        return false;
    }

    private <T> T await(CompletableFuture<T> answer) {
        try {
            return answer.get(ControlLines.ANSWER_S, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw failure(e.getCause() == null ? e : e.getCause());
        } catch (TimeoutException e) {
            throw failure(new IOException("the process there does not answer", e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure(e);
        }
    }

    /** A process of another user could hand over sockets of its own. */
    private void checkUser(EpollDomainSocketChannel old) {
        try {
            int user = old.peerCredentials().uid();
            if (user != ControlSocket.ownUser()) {
                throw failure(new IOException("the process there is of user " + user));
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private IllegalStateException failure(Throwable cause) {
        return new IllegalStateException(
                "takeover: " + control + ": "
                        + (cause instanceof FileNotFoundException ? "nobody listens there" : cause.getMessage()),
                cause);
    }

    @Override
    public void close() {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
