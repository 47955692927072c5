package io.millrace.server.transport;

import static java.util.Map.entry;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueDatagramChannel;
import io.netty.channel.kqueue.KQueueDomainSocketChannel;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.kqueue.KQueueServerDomainSocketChannel;
import io.netty.channel.kqueue.KQueueServerSocketChannel;
import io.netty.channel.kqueue.KQueueSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringDatagramChannel;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerDomainSocketChannel;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.spi.SelectorProvider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import jdk.net.ExtendedSocketOptions;

/** The kernel interfaces that Netty can use. All channels of one process use the same one. */
@SuppressWarnings("ImmutableEnumChecker") // the suppliers are constants
public enum Transport {
    EPOLL(
            Epoll::isAvailable,
            ResumableEpoll::newFactory,
            EpollServerSocketChannel.class,
            EpollSocketChannel.class,
            EpollDatagramChannel.class),
    IO_URING(
            IoUring::isAvailable,
            IoUringIoHandler::newFactory,
            IoUringServerSocketChannel.class,
            IoUringSocketChannel.class,
            IoUringDatagramChannel.class),
    KQUEUE(
            KQueue::isAvailable,
            KQueueIoHandler::newFactory,
            KQueueServerSocketChannel.class,
            KQueueSocketChannel.class,
            KQueueDatagramChannel.class),
    NIO(
            () -> true,
            NioIoHandler::newFactory,
            NioServerSocketChannel.class,
            NioSocketChannel.class,
            NioDatagramChannel.class);

    /**
     * How listeners accept: {@value Accepts#A_TURN} of the waiting connections in a turn of the event loop, and more if
     * turns are long. On epoll, Netty would accept one connection and then serve all ready channels before it accepts
     * the next. On a busy event loop new clients would wait for seconds.
     */
    public static final RecvByteBufAllocator ACCEPTS = new Accepts(System::nanoTime);

    /** The time after which a peer without acknowledgements counts as gone. */
    private static final int VANISHED_MS = 25_000;

    private static final int PROBE_IDLE_S = 10;
    private static final int PROBE_INTERVAL_S = 5;
    private static final int PROBES = 3;
    private static final Map<ChannelOption<Integer>, Integer> NIO_PEER_WATCH = nioPeerWatch();

    static {
        // With a multishot poll, Netty 4.2.18 loses a reset that comes during a read of data: the poll reports it once,
        // the read for it is dropped because another is in progress, and that read finds only the data. A poll that is
        // armed again after each read sees the reset. Netty reads this property when its class loads, so it is set
        // before the first use.
        String multishotPoll = "io.netty.iouring.pollAddMultishotEnabled";
        if (System.getProperty(multishotPoll) == null) {
            System.setProperty(multishotPoll, "false");
        }
    }

    private final String label = name().toLowerCase(Locale.ROOT);
    private final BooleanSupplier available;
    private final Supplier<IoHandlerFactory> ioHandlers;
    private final Class<? extends ServerSocketChannel> serverChannel;
    private final Class<? extends SocketChannel> clientChannel;
    private final Class<? extends DatagramChannel> datagramChannel;

    Transport(
            BooleanSupplier available,
            Supplier<IoHandlerFactory> ioHandlers,
            Class<? extends ServerSocketChannel> serverChannel,
            Class<? extends SocketChannel> clientChannel,
            Class<? extends DatagramChannel> datagramChannel) {
        this.available = available;
        this.ioHandlers = ioHandlers;
        this.serverChannel = serverChannel;
        this.clientChannel = clientChannel;
        this.datagramChannel = datagramChannel;
    }

    /** The name used in configuration and logs, such as {@code io_uring}. */
    public String label() {
        return label;
    }

    /** Whether this machine can use it. */
    public boolean isAvailable() {
        return available.getAsBoolean();
    }

    /** The best transport that this machine can use. */
    public static Transport best() {
        for (var transport : values()) {
            if (transport != IO_URING && transport.isAvailable()) {
                return transport;
            }
        }
        return NIO;
    }

    /**
     * The transport with this name.
     *
     * @throws IllegalArgumentException if the name is unknown, or this machine cannot use the transport
     */
    public static Transport named(String label) {
        for (var transport : values()) {
            if (transport.label.equals(label.toLowerCase(Locale.ROOT))) {
                if (!transport.isAvailable()) {
                    throw new IllegalArgumentException("transport: " + label + " is not available on this machine");
                }
                return transport;
            }
        }
        throw new IllegalArgumentException("transport: " + label + " (expected: epoll, io_uring, kqueue or nio)");
    }

    /**
     * Runs tasks at the end of the current turn of {@code loop}, after all that is ready was served. On epoll this takes no
     * place among the loop's tasks. To be called on that loop.
     */
    public static Executor turnEnd(EventLoop loop) {
        return ResumableEpoll.turnEnd(loop);
    }

    /** Creates event loops. Their threads are daemons named {@code name-1-1}, {@code name-1-2} and so on. */
    public MultiThreadIoEventLoopGroup newEventLoops(int threads, String name) {
        return new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory(name, true), ioHandlers.get());
    }

    /**
     * Makes the kernel notice within {@value #VANISHED_MS} ms that the peer of a connection has vanished: it does not
     * acknowledge data, or it does not answer probes while nothing is sent. Linux treats a peer that keeps its window
     * closed like a peer without acknowledgements: see {@link #allowStall}. Java's own transport has only the probes.
     */
    public void watchPeer(Bootstrap bootstrap) {
        bootstrap.option(ChannelOption.SO_KEEPALIVE, true);
        peerWatch().forEach(bootstrap::option);
    }

    /** Like {@link #watchPeer}, for each accepted connection. */
    public void watchPeers(ServerBootstrap bootstrap) {
        bootstrap.childOption(ChannelOption.SO_KEEPALIVE, true);
        peerWatch().forEach(bootstrap::childOption);
    }

    /**
     * Makes the kernel wait as long as {@code stall} for a peer that keeps its window closed, if that is longer than
     * for other peers.
     */
    public void allowStall(Channel channel, Duration stall) {
        long stallMs = stall.toMillis();
        if (stallMs <= VANISHED_MS) {
            return;
        }
        int timeoutMs = (int) Math.min(stallMs, Integer.MAX_VALUE);
        switch (this) {
            case EPOLL -> channel.config().setOption(EpollChannelOption.TCP_USER_TIMEOUT, timeoutMs);
            case IO_URING -> channel.config().setOption(IoUringChannelOption.TCP_USER_TIMEOUT, timeoutMs);
            case KQUEUE, NIO -> {} // no such limit is set
        }
    }

    private Map<ChannelOption<Integer>, Integer> peerWatch() {
        return switch (this) {
            case EPOLL ->
                Map.ofEntries(
                        entry(EpollChannelOption.TCP_USER_TIMEOUT, VANISHED_MS),
                        entry(EpollChannelOption.TCP_KEEPIDLE, PROBE_IDLE_S),
                        entry(EpollChannelOption.TCP_KEEPINTVL, PROBE_INTERVAL_S),
                        entry(EpollChannelOption.TCP_KEEPCNT, PROBES));
            case IO_URING ->
                Map.ofEntries(
                        entry(IoUringChannelOption.TCP_USER_TIMEOUT, VANISHED_MS),
                        entry(IoUringChannelOption.TCP_KEEPIDLE, PROBE_IDLE_S),
                        entry(IoUringChannelOption.TCP_KEEPINTVL, PROBE_INTERVAL_S),
                        entry(IoUringChannelOption.TCP_KEEPCNT, PROBES));
            case KQUEUE -> Map.of();
            case NIO -> NIO_PEER_WATCH;
        };
    }

    private static Map<ChannelOption<Integer>, Integer> nioPeerWatch() {
        try (var channel = java.nio.channels.SocketChannel.open()) {
            if (!channel.supportedOptions().contains(ExtendedSocketOptions.TCP_KEEPIDLE)) {
                return Map.of();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Map.ofEntries(
                entry(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPIDLE), PROBE_IDLE_S),
                entry(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPINTERVAL), PROBE_INTERVAL_S),
                entry(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPCOUNT), PROBES));
    }

    /**
     * Creates channels that listen at {@code address}. A channel of an IPv4 address accepts only IPv4; Netty's default
     * channels would also accept IPv6. io_uring has no such choice: see {@link #listensOnIpv6Too}.
     */
    public ChannelFactory<ServerChannel> serverChannel(InetAddress address) {
        boolean ipv4 = address instanceof Inet4Address;
        if (ipv4 && this == EPOLL) {
            return () -> new EpollServerSocketChannel(SocketProtocolFamily.INET);
        }
        if (ipv4 && this == NIO) {
            return () -> new NioServerSocketChannel(SelectorProvider.provider(), SocketProtocolFamily.INET);
        }
        return new ReflectiveChannelFactory<>(serverChannel);
    }

    /** Whether a channel that listens at the IPv4 address {@code address} also gets connections of IPv6. */
    public boolean listensOnIpv6Too(InetAddress address) {
        return address instanceof Inet4Address && (this == IO_URING || this == KQUEUE);
    }

    /** Whether the kernel spreads connections over several sockets that listen at one port (SO_REUSEPORT on Linux). */
    public boolean spreadsListeners() {
        return this == EPOLL || this == IO_URING;
    }

    /** The class of listening channels, for IPv6 if the machine has it. */
    public Class<? extends ServerSocketChannel> serverChannel() {
        return serverChannel;
    }

    /** The class of connected channels. */
    public Class<? extends SocketChannel> clientChannel() {
        return clientChannel;
    }

    /** A channel that listens at a unix socket. */
    public ServerChannel newUnixServerChannel() {
        return switch (this) {
            case EPOLL -> new EpollServerDomainSocketChannel();
            case IO_URING -> new IoUringServerDomainSocketChannel();
            case KQUEUE -> new KQueueServerDomainSocketChannel();
            case NIO -> new NioServerDomainSocketChannel();
        };
    }

    /** A channel that connects to a unix socket. */
    public Channel newUnixChannel() {
        return switch (this) {
            case EPOLL -> new EpollDomainSocketChannel();
            case IO_URING -> new IoUringDomainSocketChannel();
            case KQUEUE -> new KQueueDomainSocketChannel();
            case NIO -> new NioDomainSocketChannel();
        };
    }

    /** The address of a unix socket in the form of these channels. */
    public SocketAddress unixAddress(Path path) {
        return this == NIO ? UnixDomainSocketAddress.of(path) : new DomainSocketAddress(path.toFile());
    }

    /** Whether {@link #unixPeer} is supported. */
    public boolean tellsUnixPeers() {
        return this != NIO;
    }

    /**
     * The number of the user of the process at the other end of a connected unix socket.
     *
     * @throws IOException if the kernel does not know it
     */
    public static int unixPeer(Channel channel) throws IOException {
        if (channel instanceof EpollDomainSocketChannel epoll) {
            return epoll.peerCredentials().uid();
        }
        if (channel instanceof IoUringDomainSocketChannel uring) {
            return uring.peerCredentials().uid();
        }
        if (channel instanceof KQueueDomainSocketChannel kqueue) {
            return kqueue.peerCredentials().uid();
        }
        throw new IOException("no credentials of " + channel.getClass().getSimpleName());
    }

    /** The class of UDP channels, for DNS. */
    public Class<? extends DatagramChannel> datagramChannel() {
        return datagramChannel;
    }
}
