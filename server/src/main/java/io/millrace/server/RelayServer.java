package io.millrace.server;

import io.millrace.server.config.HostAndPort;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.downstream.Admission;
import io.millrace.server.downstream.DownstreamInitializer;
import io.millrace.server.relay.Relay;
import io.millrace.server.telemetry.Metrics;
import io.millrace.server.transport.Backlog;
import io.millrace.server.transport.Transport;
import io.millrace.server.upstream.Connector;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.util.NettyRuntime;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running relay: listeners, event loops and what they serve. One listening socket per event loop and address where the
 * kernel can spread connections over them, so that a connection is accepted, served and relayed on one thread.
 */
public final class RelayServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RelayServer.class);
    private static final Logger ACCESS_LOG = LoggerFactory.getLogger("millrace.access");
    private static final int BACKLOG = 4096;
    private static final long DRAIN_POLL_MS = 10;
    private static final long LAST_WORDS_MS = 500;

    private final MultiThreadIoEventLoopGroup group;
    private final Connector connector;
    private final Relay relay;
    private final RelayConfig started;
    private final List<Channel> listeners = new ArrayList<>();
    private CompletableFuture<Void> draining;

    private RelayServer(RelayConfig config, Logger accessLog) {
        int threads = config.eventLoops() > 0 ? config.eventLoops() : defaultEventLoops();
        group = config.transport().newEventLoops(threads, "millrace");
        connector = new Connector(config.transport());
        var loops = new ArrayList<EventLoop>();
        group.forEach(executor -> loops.add((EventLoop) executor));
        relay = new Relay(config, loops, connector, accessLog);
        started = config;
    }

    /**
     * Starts to serve, with the access log's lines going to the logger {@code millrace.access}.
     *
     * @throws IllegalStateException if an address cannot be bound, naming it
     * @throws IllegalArgumentException if an upstream's TLS cannot be set up
     */
    public static RelayServer start(RelayConfig config) {
        return start(config, ACCESS_LOG);
    }

    /**
     * Starts to serve.
     *
     * @param accessLog gets the access log's lines
     * @throws IllegalStateException if an address cannot be bound, naming it
     * @throws IllegalArgumentException if an upstream's TLS cannot be set up
     */
    public static RelayServer start(RelayConfig config, Logger accessLog) {
        var server = new RelayServer(config, accessLog);
        try {
            config.listen().forEach(server::bind);
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
        return server;
    }

    /** The addresses served, with the real port where 0 was asked for. */
    public List<InetSocketAddress> addresses() {
        return listeners.stream()
                .map(channel -> (InetSocketAddress) channel.localAddress())
                .distinct()
                .toList();
    }

    /** The counts so far. */
    public Metrics metrics() {
        return relay.metrics();
    }

    /**
     * Serves new requests by another configuration. Listeners, transport and event loops stay as they are.
     *
     * @return the names of the settings that are others and stay as they were
     * @throws IllegalArgumentException if an upstream's TLS cannot be set up; the old configuration stays
     */
    public List<String> reload(RelayConfig config) {
        relay.reload(config);
        var kept = new ArrayList<String>();
        if (!config.listen().equals(started.listen())) {
            kept.add("listen");
        }
        if (config.transport() != started.transport()) {
            kept.add("transport");
        }
        if (config.eventLoops() != started.eventLoops()) {
            kept.add("eventLoops");
        }
        return kept;
    }

    /**
     * Stops in this order: not ready, while all is served and each connection's next response is its last; after the
     * shutdown delay no listener any more, once those who wait at it are accepted; then idle connections close, and what is
     * in progress may end until the drain limit; the rest ends with an error event. Completes when the last client is gone.
     * May be called more than once.
     */
    public synchronized CompletableFuture<Void> drain() {
        if (draining == null && group.isShuttingDown()) {
            draining = CompletableFuture.completedFuture(null);
        }
        if (draining == null) {
            draining = new CompletableFuture<>();
            relay.endReadiness();
            Duration delay = relay.config().timeouts().shutdownDelay();
            if (delay.isZero()) {
                closeListeners();
            } else {
                LOG.info("stopping: not ready, and no longer listening in {} s", seconds(delay));
                group.schedule(this::closeListeners, delay.toNanos(), TimeUnit.NANOSECONDS);
            }
        }
        return draining;
    }

    private void closeListeners() {
        var open = new AtomicInteger(listeners.size());
        for (Channel listener : listeners) {
            Backlog.serveAndClose(listener, () -> {
                if (open.decrementAndGet() == 0) {
                    endConnections();
                }
            });
        }
    }

    private void endConnections() {
        relay.drain();
        Duration limit = relay.config().timeouts().drain();
        long running = relay.metrics().activeExchanges();
        if (running > 0) {
            LOG.info("stopping: {} requests in progress have up to {} s to end", running, seconds(limit));
        }
        awaitIdle(System.nanoTime() + limit.toNanos(), false);
    }

    private static String seconds(Duration duration) {
        return BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString();
    }

    @Override
    public synchronized void close() {
        if (group.isShuttingDown()) {
            return;
        }
        listeners.forEach(Channel::close);
        relay.closeLoops();
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
        connector.close();
        relay.releaseTls();
        if (draining != null) {
            draining.complete(null);
        }
    }

    /** On which everything runs. */
    EventLoopGroup eventLoops() {
        return group;
    }

    /**
     * One per two processors: fewer loops find more to do each time that they wake, and the kernel, whose share of a
     * frame's cost is the largest, the JVM's compiler and collector need processors too.
     */
    private static int defaultEventLoops() {
        return Math.max(1, NettyRuntime.availableProcessors() / 2);
    }

    private void awaitIdle(long limitNs, boolean cut) {
        // A response that has ended may still be on its way to a slow client: its connection closes behind it.
        boolean idle = relay.metrics().activeExchanges() == 0 && relay.metrics().openConnections() == 0;
        if (idle || (cut && System.nanoTime() > limitNs)) {
            draining.complete(null);
            return;
        }
        boolean cutNow = !cut && System.nanoTime() > limitNs;
        if (cutNow) {
            LOG.warn("stopping: {} requests are cut", relay.metrics().activeExchanges());
            relay.cutAll();
        }
        long nextLimitNs = cutNow ? System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_WORDS_MS) : limitNs;
        group.schedule(() -> awaitIdle(nextLimitNs, cut || cutNow), DRAIN_POLL_MS, TimeUnit.MILLISECONDS);
    }

    private void bind(HostAndPort address) {
        boolean spread = relay.config().transport().spreadsListeners();
        int port = address.port();
        if (spread) {
            probe(address);
        }
        var loops = new ArrayList<EventLoopGroup>();
        if (spread) {
            group.forEach(executor -> loops.add((EventLoop) executor));
        } else {
            loops.add(group);
        }
        for (EventLoopGroup loop : loops) {
            Channel listener = listen(loop, address.host(), port, spread);
            listeners.add(listener);
            port = ((InetSocketAddress) listener.localAddress()).getPort();
        }
    }

    private Channel listen(EventLoopGroup loop, String host, int port, boolean spread) {
        Transport transport = relay.config().transport();
        var address = new InetSocketAddress(host, port);
        var bootstrap = new ServerBootstrap()
                .group(loop)
                .channelFactory(transport.serverChannel(address.getAddress()))
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.RECVBUF_ALLOCATOR, Transport.ACCEPTS)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new DownstreamInitializer(
                        transport,
                        relay,
                        new Admission(
                                relay.metrics()::openConnections,
                                () -> relay.config().limits()),
                        relay::sweeper,
                        relay::memory,
                        () -> relay.config().limits(),
                        () -> relay.config().timeouts()));
        transport.watchPeers(bootstrap);
        if (transport.listensOnIpv6Too(address.getAddress())) {
            bootstrap.handler(new Ipv4Only());
        }
        if (spread) {
            bootstrap.option(UnixChannelOption.SO_REUSEPORT, true);
        }
        var bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IllegalStateException(
                    "listen: " + host + ":" + port + " cannot be bound: "
                            + bound.cause().getMessage(),
                    bound.cause());
        }
        LOG.debug("listening on {}", bound.channel().localAddress());
        return bound.channel();
    }

    /**
     * With SO_REUSEPORT a second relay would bind silently and take half of the connections: ask without it first. The
     * socket that asks does not listen, so no client that is waiting for the relay gets into it, to be reset at its end.
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

    /** Closes what a listener for IPv4 accepts of IPv6. */
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
