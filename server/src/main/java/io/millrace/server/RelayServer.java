package io.millrace.server;

import io.millrace.server.config.Limits;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Telemetry.Otlp;
import io.millrace.server.downstream.Admission;
import io.millrace.server.downstream.ClientPipeline;
import io.millrace.server.listen.Bound;
import io.millrace.server.listen.InheritedSockets;
import io.millrace.server.listen.Listeners;
import io.millrace.server.relay.Relay;
import io.millrace.server.telemetry.Metrics;
import io.millrace.server.telemetry.otlp.OtlpExport;
import io.millrace.server.tls.TlsServers;
import io.millrace.server.upstream.Connector;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.NettyRuntime;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running relay: listeners, event loops and what they serve.
 */
public final class RelayServer implements AutoCloseable {
    private static final Logger ACCESS_LOG = LoggerFactory.getLogger("millrace.access");
    /** Connections to admin listeners have places of their own, however many clients there are. */
    private static final Limits ADMIN_LIMITS = Limits.DEFAULT.with(l -> l.connections = 256);

    private final MultiThreadIoEventLoopGroup group;
    /**
     * The parts of one event loop that serves admin listeners, which relay nothing. So operators need not wait for
     * clients.
     */
    private final MultiThreadIoEventLoopGroup admin;

    private final Connector connector;
    private final Relay relay;
    private final RelayConfig started;
    private final Listeners listeners;
    private final ClientPipeline.Shared clients;
    private final Admission admission;
    private final Admission adminAdmission;
    private TlsServers tls;
    private final Drain drain;
    /** Null if there is no collector. Nothing of OpenTelemetry is loaded then. */
    private final OtlpExport export;

    private RelayServer(RelayConfig config, Logger accessLog, InheritedSockets inherited) {
        int threads = config.eventLoops() > 0 ? config.eventLoops() : defaultEventLoops();
        group = config.transport().newEventLoops(threads, "millrace");
        boolean hasAdmin = config.listeners().stream().anyMatch(Listener::isAdmin);
        admin = hasAdmin ? config.transport().newEventLoops(1, "millrace-admin") : null;
        connector = new Connector(config.transport());
        var loops = new ArrayList<EventLoop>();
        group.forEach(executor -> loops.add((EventLoop) executor));
        relay = new Relay(config, loops, admin == null ? null : (EventLoop) admin.next(), connector, accessLog);
        started = config;
        listeners = new Listeners(config.transport(), inherited);
        drain = new Drain(relay, listeners, group);
        clients = new ClientPipeline.Shared(
                config.transport(), relay, relay::sweeper, relay::memory, relay::requests, relay::config);
        Metrics metrics = relay.metrics();
        admission =
                new Admission(metrics::relayedConnections, () -> relay.config().limits());
        adminAdmission =
                new Admission(() -> metrics.openConnections() - metrics.relayedConnections(), () -> ADMIN_LIMITS);
        Otlp otlp = config.telemetry().otlp();
        export = otlp.on() ? OtlpExport.open(otlp, source()) : null;
    }

    private OtlpExport.Source source() {
        return new OtlpExport.Source(
                relay.metrics(), relay.tracing(), () -> relay.config().upstreams());
    }

    /**
     * Starts to serve. The lines of the access log go to the logger {@code millrace.access}.
     *
     * @throws IllegalStateException if an address cannot be bound, naming it
     * @throws IllegalArgumentException if an upstream's or a listener's TLS cannot be set up
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
        return start(config, accessLog, new InheritedSockets());
    }

    /**
     * Starts to serve at sockets of another process.
     *
     * @param inherited sockets that listeners take in place of new ones
     * @throws IllegalStateException if an address cannot be bound or taken over, naming it
     * @throws IllegalArgumentException if an upstream's TLS cannot be set up
     */
    public static RelayServer start(RelayConfig config, InheritedSockets inherited) {
        return start(config, ACCESS_LOG, inherited);
    }

    private static RelayServer start(RelayConfig config, Logger accessLog, InheritedSockets inherited) {
        var server = new RelayServer(config, accessLog, inherited);
        try {
            server.open(config.listeners());
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
        return server;
    }

    private void open(List<Listener> all) {
        tls = new TlsServers(all, () -> relay.config().limits().handshakes());
        metrics().tls(tls);
        all.forEach(this::open);
    }

    private void open(Listener listener) {
        boolean isAdmin = listener.isAdmin();
        Admission its = isAdmin ? adminAdmission : admission;
        var pipeline = new ClientPipeline(listener, its, clients, tls.of(listener));
        listeners.open(listener, isAdmin ? admin : group, pipeline);
    }

    /** The open listeners. */
    public List<Bound> listeners() {
        return listeners.bound();
    }

    /** The TCP addresses served, with the real port where 0 was asked for. */
    public List<InetSocketAddress> addresses() {
        return listeners.bound().stream()
                .filter(bound -> bound.address() instanceof HostAndPort)
                .map(bound -> (InetSocketAddress) bound.channels().get(0).localAddress())
                .toList();
    }

    /** The counts at this moment. */
    public Metrics metrics() {
        return relay.metrics();
    }

    /**
     * Serves new requests with another configuration. Transport, event loops and listeners stay as they are, except
     * for the TLS of listeners.
     *
     * @return the names of the settings that are others and stay as they were
     * @throws IllegalArgumentException if an upstream's or a listener's TLS cannot be set up; the old configuration stays
     */
    public List<String> reload(RelayConfig config) {
        TlsServers.Change certificates = tls.prepare(config.listeners());
        try {
            relay.reload(config);
        } catch (IllegalArgumentException e) {
            certificates.drop();
            throw e;
        }
        certificates.take();
        var kept = new ArrayList<String>();
        if (!fixed(config.listeners()).equals(fixed(started.listeners()))) {
            boolean plain = Stream.concat(config.listeners().stream(), started.listeners().stream())
                    .allMatch(Listener::isPlain);
            kept.add(plain ? "listen" : "listeners");
        }
        if (config.transport() != started.transport()) {
            kept.add("transport");
        }
        if (config.eventLoops() != started.eventLoops()) {
            kept.add("eventLoops");
        }
        if (!Objects.equals(config.takeover(), started.takeover())) {
            kept.add("takeover");
        }
        if (!Objects.equals(config.clients().redis(), started.clients().redis())) {
            kept.add("clients.redis");
        }
        if (config.clients().onStoreFailure() != started.clients().onStoreFailure()) {
            kept.add("clients.onStoreFailure");
        }
        if (!Objects.equals(config.resume().redis(), started.resume().redis())) {
            kept.add("resume.redis");
        }
        if (!config.telemetry().otlp().equals(started.telemetry().otlp())) {
            kept.add("telemetry.otlp");
        }
        if (config.telemetry().nativeHistograms() != started.telemetry().nativeHistograms()) {
            kept.add("telemetry.nativeHistograms");
        }
        return kept;
    }

    /**
     * Waits until the event loops have taken over what was last reloaded. A log that it ends has all its lines then.
     *
     * @return whether that was so within {@code limit}
     */
    public boolean awaitReloaded(Duration limit) throws InterruptedException {
        return relay.awaitLoops(limit);
    }

    /** The names of settings that a reload does not change. */
    private static List<Listener> fixed(List<Listener> listeners) {
        return listeners.stream()
                .map(each -> each.with(l -> l.tls = l.tls == null ? null : Listener.Tls.DEFAULT))
                .toList();
    }

    /**
     * Stops in this order. First it is not ready, but serves everything, and each connection's next response is its
     * last. After the shutdown delay it accepts the clients that wait at its listeners, and closes these. Then idle
     * connections close, and what is in progress may continue until the drain limit. The rest ends with an error
     * event. Completes when the last client is gone. May be called more than once.
     */
    public CompletableFuture<Void> drain() {
        if (group.isShuttingDown()) {
            return CompletableFuture.completedFuture(null);
        }
        drain.stop();
        return drain.over();
    }

    /**
     * Stops because another process serves at the same sockets. The listeners close at once, and the clients that wait
     * at them belong to the other process. Each connection's next response is its last. After five seconds idle
     * connections close. What is in progress may continue until the take-over limit, or until the drain limit once
     * {@link #drain} is called. Completes when the last client is gone.
     */
    public CompletableFuture<Void> handOver() {
        drain.handOver();
        return drain.over();
    }

    @Override
    public synchronized void close() {
        if (group.isShuttingDown()) {
            return;
        }
        listeners.close();
        relay.closeLoops();
        Future<?> adminOver = admin == null ? null : admin.shutdownGracefully(0, 2, TimeUnit.SECONDS);
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
        if (adminOver != null) {
            adminOver.awaitUninterruptibly(5, TimeUnit.SECONDS);
        }
        if (export != null) {
            export.close();
        }
        connector.close();
        relay.releaseTls();
        if (tls != null) {
            tls.close();
        }
        drain.over().complete(null);
    }

    /** The event loops that serve everything except admin listeners. */
    EventLoopGroup eventLoops() {
        return group;
    }

    /**
     * One loop per two processors. Fewer loops find more work each time they wake. The kernel, which has the largest
     * share of a frame's cost, and the JVM's compiler and collector need processors too.
     */
    private static int defaultEventLoops() {
        return Math.max(1, NettyRuntime.availableProcessors() / 2);
    }
}
