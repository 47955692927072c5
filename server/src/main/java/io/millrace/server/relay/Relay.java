package io.millrace.server.relay;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.access.Access;
import io.millrace.server.access.Caller;
import io.millrace.server.access.ClientList;
import io.millrace.server.address.ClientAddress;
import io.millrace.server.chat.ChatSide;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.downstream.ClientConnection;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestHandler;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.DialectSide;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.Target;
import io.millrace.server.limit.SharedLimits;
import io.millrace.server.live.LiveHistory;
import io.millrace.server.live.LiveView;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.own.OwnEndpoints;
import io.millrace.server.route.ActiveChecks;
import io.millrace.server.route.RouteTable;
import io.millrace.server.telemetry.LoopCounters;
import io.millrace.server.telemetry.Metrics;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Tracing;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Turns;
import io.millrace.server.upstream.Connector;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** The relay without its listeners. It makes an exchange of each request, on the event loop of its connection. */
public final class Relay implements RequestHandler {

    private final MemoryBudget jvm = MemoryBudget.ofJvm();
    private final MemoryAccount memory;
    private final IdentityHashMap<EventLoop, RelayLoop> loops = new IdentityHashMap<>();
    private final List<RelayLoop> numbered = new ArrayList<>();
    private final Metrics metrics;
    private final StreamLimits streams;
    private final OwnEndpoints endpoints;
    private final ActiveChecks checks;
    private final EventLoop checking;
    private final ClientList clients;
    private final Stores stores;
    private final LiveHistory history;
    private volatile RouteTable settings;
    private volatile boolean ready = true;
    private volatile boolean keepAlive = true;
    private volatile boolean draining;

    /**
     * Creates a relay.
     *
     * @param eventLoops the event loops that relay
     * @param admin the event loop of listeners that do not relay; null if there are none
     * @param accessLog receives the lines of the access log
     * @throws IllegalArgumentException if the TLS of an upstream or of Redis cannot be set up
     * @throws io.millrace.server.config.file.ConfigException if the file of clients is wrong
     */
    public Relay(
            RelayConfig config,
            List<EventLoop> eventLoops,
            @Nullable EventLoop admin,
            Connector connector,
            Logger accessLog) {
        settings = RouteTable.of(config, null);
        var all = new ArrayList<>(eventLoops);
        if (admin != null) {
            all.add(admin);
        }
        stores = new Stores(config, connector, eventLoops, new Stores.Owner(numbered, this::config));
        RelayLoop.Shared kept = stores.shared(numbered);
        memory = new MemoryAccount(all.size(), jvm.withBuffers(config.limits().memory()));
        var counters = new ArrayList<LoopCounters>();
        for (EventLoop loop : all) {
            LoopMemory held = memory.loop(numbered.size());
            var relayLoop = RelayLoop.open(numbered.size(), loop, connector, config, accessLog, held, kept);
            counters.add(relayLoop.counters());
            numbered.add(relayLoop);
            loops.put(loop, relayLoop);
        }
        for (RelayLoop each : numbered) {
            each.relief().others(numbered.stream().map(RelayLoop::relief).toList());
        }
        metrics = new Metrics(counters, eventLoops.size(), memory, () -> settings.upstreams());
        streams = new StreamLimits(metrics);
        var live = new LiveRequests(
                numbered, () -> settings.upstreams(), () -> draining, () -> metrics.activeExchanges() > 0);
        history = live.history();
        endpoints = new OwnEndpoints(metrics, new StreamRequests(numbered), new LiveView(live), eventLoops);
        boolean sharing = config.clients().redis() != null;
        var shared = sharing ? SharedLimits.of(config.clients()) : null;
        clients = new ClientList(() -> streams.most(config().limits()), shared, this::onClientsRead);
        clients.follow(config);
        checking = eventLoops.get(0);
        stores.open(shared);
        metrics.sharedLimits(shared);
        metrics.kept(kept.logs(), stores.node());
        metrics.draining(() -> !ready);
        checks = new ActiveChecks(checking, loop(checking).upstreams());
        check(settings);
    }

    /** The configuration of new requests. */
    public RelayConfig config() {
        return settings.config();
    }

    /** The counts of all event loops. */
    public Metrics metrics() {
        return metrics;
    }

    /** The traces of all exchanges. */
    public Tracing tracing() {
        return numbered.get(0).tracing();
    }

    /** The sweep of the channel's event loop. */
    public Sweeper sweeper(Channel channel) {
        return loop(channel.eventLoop()).sweeper();
    }

    /** The memory that the channel's event loop holds. */
    public LoopMemory memory(Channel channel) {
        return loop(channel.eventLoop()).memory();
    }

    /** How many requests begin in one turn of the channel's event loop. */
    public Turns requests(Channel channel) {
        return loop(channel.eventLoop()).requests();
    }

    /**
     * Uses another configuration for new requests. Requests in progress keep the one with which they began.
     *
     * @throws IllegalArgumentException if an upstream's TLS cannot be set up; the old configuration stays
     * @throws io.millrace.server.config.file.ConfigException if the file of clients is wrong; the old configuration stays
     */
    public void reload(RelayConfig changed) {
        RelayConfig config = changed.with(
                c -> c.resume = c.resume.with(r -> r.redis = config().resume().redis()));
        RouteTable next = RouteTable.of(config, settings);
        clients.follow(config);
        settings = next;
        cutRemoved();
        memory.budget(jvm.withBuffers(config.limits().memory()));
        long periodNs = RelayLoop.sweepPeriodNs(config);
        onEachLoop(loop -> {
            loop.accessLogger().settings(config.accessLog());
            loop.usageLogger().settings(config.telemetry().usageLog());
            loop.sweeper().period(periodNs);
        });
        check(next);
        onEachLoop(loop -> loop.relief().ask());
        var origins = next.origins();
        loops.values()
                .forEach(loop -> loop.eventLoop().execute(() -> loop.upstreams().keepOnly(origins)));
    }

    /** Waits until each event loop has done what it was told before. Returns whether that was so within the limit. */
    public boolean awaitLoops(Duration limit) throws InterruptedException {
        var done = new CountDownLatch(loops.size());
        onEachLoop(loop -> done.countDown());
        return done.await(limit.toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * Reports that it is not ready from now on, but still serves requests. A connection's next response is its last.
     */
    public void endReadiness() {
        ready = false;
        endKeepAlive();
    }

    /** Makes each connection's next response its last. */
    public void endKeepAlive() {
        keepAlive = false;
        onEachLoop(loop -> loop.connections().forEach(ClientConnection::closeAfterResponse));
    }

    /** Closes idle connections. Requests in progress and newly accepted connections are served. */
    public void drain() {
        draining = true;
        onEachLoop(loop -> List.copyOf(loop.connections()).forEach(ClientConnection::drain));
    }

    /** Ends every exchange in progress with an error frame of the relay. */
    public void cutAll() {
        onEachLoop(loop -> List.copyOf(loop.readingOn()).forEach(Runnable::run));
        onEachExchange(exchange -> exchange.end(OwnEnd.DRAIN, caller -> true));
    }

    private void onClientsRead(boolean taken) {
        metrics.onClientsRead(taken);
        if (taken) {
            cutRemoved();
        }
    }

    /** Ends requests in progress whose keys are not in the file any more, if the configuration says so. */
    private void cutRemoved() {
        if (config().clients().onRemoval() == ClientAccess.OnRemoval.CUT) {
            onEachExchange(exchange -> exchange.end(OwnEnd.REVOKED, clients::isRemoved));
        }
    }

    private void onEachExchange(Consumer<Exchange> action) {
        onEachLoop(loop -> InProgress.on(loop).forEach(action));
    }

    /**
     * Closes all connections and logs. Netty's event loop closes connections at its own shutdown only if it runs once more
     * after it was told, which is not certain.
     */
    public void closeLoops() {
        clients.close();
        checking.execute(checks::close);
        onEachLoop(loop -> {
            InProgress.detached(loop).forEach(exchange -> exchange.end(OwnEnd.DRAIN, caller -> true));
            loop.streams().close();
            List.copyOf(loop.connections()).forEach(ClientConnection::close);
            List.copyOf(loop.readingOn()).forEach(Runnable::run);
            loop.upstreams().keepOnly(List.of());
            loop.closeLogs();
        });
        stores.close();
    }

    /**
     * Releases the memory of TLS outside of the heap, such as cached sessions. To be called once, when no loop runs any
     * more.
     */
    public void releaseTls() {
        settings.destinations().forEach(RouteTable.Destination::releaseTls);
        stores.releaseTls();
    }

    @Override
    public RequestListener onRequest(ClientStream downstream, HttpRequest request) {
        RelayLoop loop = loop(downstream.eventLoop());
        RouteTable current = settings;
        loop.counters().began();
        Access access = clients.access(current.config());
        InetAddress address = address(downstream, request, current.config());
        Caller caller = access.identify(request, address, downstream.terms().certificate());
        Target target = Target.of(request.uri());
        grant(access, downstream, request);
        Runnable done = () -> loop.counters().endedLocally(Outcome.LOCAL.label());
        var asked = new OwnEndpoints.Asked(
                downstream,
                request,
                target,
                current.config(),
                access,
                caller,
                !ready,
                done,
                loop.counters()::failed,
                own -> relay(own, loop, current, address));
        RequestListener own = endpoints.answer(asked);
        return own != null ? own : relay(asked, loop, current, address);
    }

    /** Begins the exchange of a request that the relay does not answer itself. */
    private RequestListener relay(
            OwnEndpoints.Asked asked, RelayLoop loop, RouteTable current, @Nullable InetAddress address) {
        ClientStream downstream = asked.downstream();
        HttpRequest request = asked.request();
        Access access = asked.access();
        Caller caller = asked.caller();
        Target target = asked.target();
        history.onRequest();
        boolean chat = OwnEndpoints.isChat(current.config(), target);
        ClientSide client = chat ? new ChatSide() : DialectSide.of(Dialect.ofPath(target.path()));
        var exchange = new Exchange(loop, current, downstream, address, client, request, caller);
        String violation = access.violation(request, chat);
        access.hideOrigin(request);
        if (violation != null) {
            exchange.refuse(Refusal.of(403, "forbidden_origin", violation), false);
            return exchange;
        }
        Refusal refusal = caller.refusal();
        if (refusal == null && memory.level() != MemoryAccount.Level.ROOMY) {
            refusal = Refusal.overloaded("The relay is short of memory. Try again.");
        }
        if (refusal == null) {
            refusal = streams.refusal(exchange, address, caller, current.config());
        }
        if (refusal == null) {
            exchange.start();
        } else {
            exchange.refuse(refusal, current.config().clients().on());
        }
        return exchange;
    }

    private static @Nullable InetAddress address(ClientStream downstream, HttpRequest request, RelayConfig config) {
        return ClientAddress.of(downstream.client(), request.headers(), config.trustedProxies());
    }

    private static void grant(Access access, ClientStream downstream, HttpRequest request) {
        HttpHeaders grants = access.grants(request);
        if (grants != null) {
            downstream.addToResponse(grants);
        }
    }

    @Override
    public void onRefused(ClientStream downstream, @Nullable HttpRequest request, int status, String code) {
        RelayLoop loop = loop(downstream.eventLoop());
        loop.counters().began();
        if (request != null) {
            grant(clients.access(config()), downstream, request);
        }
        HttpRequest known = request != null && request.decoderResult().isSuccess() ? request : null;
        loop.onEnded(Summary.refused(
                request == null ? downstream.client() : address(downstream, request, config()),
                downstream.terms().protocol(),
                downstream.terms().tlsVersion(),
                known == null ? null : known.method().name(),
                known == null ? null : Target.of(known.uri()).path(),
                status,
                code));
    }

    @Override
    public void onConnected(ClientConnection connection) {
        RelayLoop loop = loop(connection.eventLoop());
        loop.connections().add(connection);
        loop.counters().connections(connection.protocol(), 1);
        if (draining) {
            connection.drain();
        } else if (!keepAlive) {
            connection.closeAfterResponse();
        }
    }

    @Override
    public void onDisconnected(ClientConnection connection) {
        RelayLoop loop = loop(connection.eventLoop());
        if (loop.connections().remove(connection)) {
            loop.counters().connections(connection.protocol(), -1);
        }
    }

    @Override
    public void onGoAway(ClientConnection connection, String reason) {
        loop(connection.eventLoop()).counters().wentAway(reason);
    }

    @Override
    public void onClientRefused(EventLoop eventLoop, String why) {
        loop(eventLoop).counters().refused(why);
    }

    private void check(RouteTable current) {
        checking.execute(() -> checks.follow(current.destinations()));
    }

    private RelayLoop loop(EventLoop loop) {
        return requireNonNull(loops.get(loop), "not an event loop of this relay");
    }

    private void onEachLoop(Consumer<RelayLoop> action) {
        loops.values().forEach(loop -> loop.eventLoop().execute(() -> action.accept(loop)));
    }
}
