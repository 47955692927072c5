package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.chat.ChatSide;
import io.millrace.server.chat.OpenApi;
import io.millrace.server.config.OwnPaths;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.console.Console;
import io.millrace.server.downstream.DownstreamConnection;
import io.millrace.server.downstream.DownstreamExchange;
import io.millrace.server.downstream.RequestHandler;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.DialectSide;
import io.millrace.server.metrics.LoopCounters;
import io.millrace.server.metrics.Metrics;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.upstream.Connector;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.slf4j.Logger;

/** The relay without its listeners: turns requests into exchanges, on whatever event loop they come. */
public final class Relay implements RequestHandler {
    private static final String STREAMS = "/millrace/streams/";
    private static final long MAX_SWEEP_PERIOD_NS = Duration.ofMillis(250).toNanos();
    private static final long MIN_SWEEP_PERIOD_NS = Duration.ofMillis(5).toNanos();
    /** Kept request bodies may take a quarter of direct memory, whose limit is the heap's unless a flag sets it. */
    private static final int BODY_BUDGET_DIVISOR = 4;

    private final IdentityHashMap<EventLoop, RelayLoop> loops = new IdentityHashMap<>();
    private final List<RelayLoop> numbered = new ArrayList<>();
    private final Metrics metrics;
    private final ActiveChecks checks;
    private final EventLoop checking;
    private volatile RelaySettings settings;
    private volatile boolean draining;

    /**
     * A relay on these event loops.
     *
     * @param accessLog gets the lines of the access log
     * @throws IllegalArgumentException if an upstream's TLS cannot be set up
     */
    public Relay(RelayConfig config, List<EventLoop> eventLoops, Connector connector, Logger accessLog) {
        settings = RelaySettings.of(config, null);
        var budget = new RequestBody.Budget(Runtime.getRuntime().maxMemory() / BODY_BUDGET_DIVISOR);
        var counters = new ArrayList<LoopCounters>();
        for (EventLoop loop : eventLoops) {
            var sweeper = new Sweeper(loop, sweepPeriodNs(config));
            var own = new LoopCounters();
            counters.add(own);
            var accessLogger = new AccessLogger(
                    accessLog, loop, sweeper, config.accessLog().format());
            var relayLoop = new RelayLoop(numbered.size(), loop, connector, sweeper, own, accessLogger, budget);
            numbered.add(relayLoop);
            loops.put(loop, relayLoop);
        }
        metrics = new Metrics(counters, () -> settings.metrics());
        checking = eventLoops.get(0);
        checks = new ActiveChecks(loops.get(checking));
        check(settings);
    }

    /** The configuration that new requests get. */
    public RelayConfig config() {
        return settings.config();
    }

    /** The counts of all event loops. */
    public Metrics metrics() {
        return metrics;
    }

    /** The sweep of the channel's event loop. */
    public Sweeper sweeper(Channel channel) {
        return loop(channel).sweeper();
    }

    /**
     * Takes another configuration for new requests; those in progress end under the one they began with.
     *
     * @throws IllegalArgumentException if an upstream's TLS cannot be set up; the old configuration stays
     */
    public void reload(RelayConfig config) {
        RelaySettings next = RelaySettings.of(config, settings);
        settings = next;
        onEachLoop(loop -> loop.accessLogger().format(config.accessLog().format()));
        check(next);
        var origins = next.origins();
        loops.values().forEach(loop -> loop.eventLoop().execute(() -> loop.keepOnly(origins)));
    }

    /** From now on not ready, and connections close after the response they are in. */
    public void drain() {
        draining = true;
        onEachLoop(loop -> List.copyOf(loop.connections()).forEach(DownstreamConnection::drain));
    }

    /** Ends every exchange that is still in progress with an error that says why. */
    public void cutAll() {
        onEachLoop(loop -> List.copyOf(loop.readingOn()).forEach(ReadOn::cancel));
        onEachLoop(loop -> List.copyOf(loop.connections()).forEach(connection -> {
            if (connection.exchange() instanceof Exchange exchange) {
                exchange.onDrainLimit();
            }
        }));
    }

    /**
     * Closes all connections, and hands over what the access log then holds. Netty's event loop closes them at its own
     * shutdown only if it turns once more after it was told, which it need not.
     */
    public void closeLoops() {
        checking.execute(checks::close);
        onEachLoop(loop -> {
            List.copyOf(loop.connections())
                    .forEach(connection -> connection.channel().close());
            List.copyOf(loop.readingOn()).forEach(ReadOn::cancel);
            loop.keepOnly(List.of());
            // Behind the ends of exchanges that these closes have just queued.
            loop.eventLoop().execute(loop.accessLogger()::handOver);
        });
    }

    /** Frees what TLS keeps outside of the heap, such as cached sessions. To be called once, when no loop runs any more. */
    public void releaseTls() {
        settings.destinations().forEach(destination -> ReferenceCountUtil.release(destination.tls()));
    }

    @Override
    public DownstreamExchange onRequest(DownstreamConnection connection, HttpRequest request) {
        RelayLoop loop = loop(connection.channel());
        RelaySettings current = settings;
        loop.counters().began();
        Target target = Target.of(request.uri());
        CrossOrigin crossOrigin = current.crossOrigin();
        if (crossOrigin != null) {
            connection.addToResponse(crossOrigin.grants(request));
            if (CrossOrigin.isPreflight(request)) {
                return local(loop, connection, () -> bare(connection, crossOrigin.preflight(request)));
            }
        }
        DownstreamExchange own = ownPath(loop, connection, current.config().ownPaths(), request, target);
        if (own != null) {
            return own;
        }
        DownstreamExchange page = page(loop, current, connection, request, target);
        if (page != null) {
            return page;
        }
        if (current.config().ownPaths().streams() && request.method().equals(HttpMethod.DELETE)) {
            DownstreamExchange stop = stopRequest(loop, current, connection, request, target);
            if (stop != null) {
                return stop;
            }
        }
        boolean chat = current.config().ownPaths().chat() && target.path().equals(ChatSide.PATH);
        Runnable local = chat ? localChat(connection, request) : null;
        if (local != null) {
            return local(loop, connection, local);
        }
        ClientSide client = chat ? new ChatSide() : DialectSide.of(Dialect.ofPath(target.path()));
        var exchange = new Exchange(loop, current, connection, client, request);
        String violation =
                current.config().injectsCredentials() ? OpenGuard.violation(request, current.config(), chat) : null;
        if (crossOrigin != null && crossOrigin.isGranted(request)) {
            // The upstream is asked by the relay: some answer what has an origin otherwise.
            request.headers().remove(HttpHeaderNames.ORIGIN);
        }
        if (draining) {
            exchange.refuseWhenRead(503, "relay_draining", "The relay is shutting down.", "1");
        } else if (violation != null) {
            exchange.refuseWhenRead(403, "forbidden_origin", violation, null);
        } else {
            exchange.start();
        }
        return exchange;
    }

    @Override
    public void onRefused(DownstreamConnection connection, HttpRequest request, int status, String code) {
        RelayLoop loop = loop(connection.channel());
        loop.counters().began();
        boolean known = request != null && request.decoderResult().isSuccess();
        loop.onEnded(Summary.refused(
                known ? request.method().name() : null,
                known ? Target.of(request.uri()).path() : null,
                status,
                code));
    }

    @Override
    public void onConnected(DownstreamConnection connection) {
        RelayLoop loop = loop(connection.channel());
        loop.connections().add(connection);
        loop.counters().connections(1);
        if (draining) {
            connection.drain();
        }
    }

    @Override
    public void onDisconnected(DownstreamConnection connection) {
        RelayLoop loop = loop(connection.channel());
        if (loop.connections().remove(connection)) {
            loop.counters().connections(-1);
        }
    }

    private DownstreamExchange ownPath(
            RelayLoop loop, DownstreamConnection connection, OwnPaths own, HttpRequest request, Target target) {
        if (!asksToRead(request)) {
            return null;
        }
        return switch (target.path()) {
            case "/healthz" -> own.healthz() ? text(loop, connection, 200, "ok\n") : null;
            case "/readyz" ->
                own.readyz() ? text(loop, connection, draining ? 503 : 200, draining ? "draining\n" : "ready\n") : null;
            case "/openapi.json" ->
                own.openapi()
                        ? local(loop, connection, () -> respond(connection, 200, "application/json", OpenApi.json()))
                        : null;
            case "/metrics" ->
                own.metrics()
                        ? local(loop, connection, () -> respond(connection, 200, Metrics.CONTENT_TYPE, metrics.text()))
                        : null;
            default -> null;
        };
    }

    /** Where keys are added, a page of another name may not be the relay's. */
    private static DownstreamExchange page(
            RelayLoop loop,
            RelaySettings current,
            DownstreamConnection connection,
            HttpRequest request,
            Target target) {
        boolean wanted = current.config().ownPaths().page() && asksToRead(request) && Console.owns(target.path());
        if (!wanted || isForbidden(current.config(), request)) {
            return null;
        }
        String ifNoneMatch = request.headers().get(HttpHeaderNames.IF_NONE_MATCH);
        return local(
                loop,
                connection,
                () -> Console.loaded()
                        .whenCompleteAsync(
                                (console, failure) -> {
                                    if (failure != null) {
                                        connection.reset();
                                    } else if (connection.channel().isActive()) {
                                        respond(connection, console.answer(target.path(), ifNoneMatch));
                                    }
                                },
                                loop.eventLoop()));
    }

    private static boolean asksToRead(HttpRequest request) {
        return request.method().equals(HttpMethod.GET) || request.method().equals(HttpMethod.HEAD);
    }

    private static boolean isForbidden(RelayConfig config, HttpRequest request) {
        return config.injectsCredentials() && OpenGuard.violation(request, config, false) != null;
    }

    /** A page of another origin may not stop the streams that are paid for with the relay's own keys. */
    private DownstreamExchange stopRequest(
            RelayLoop loop,
            RelaySettings current,
            DownstreamConnection connection,
            HttpRequest request,
            Target target) {
        if (!target.path().startsWith(STREAMS) || isForbidden(current.config(), request)) {
            return null;
        }
        String id = target.path().substring(STREAMS.length());
        int owner = OpenStreams.loopOf(id);
        return new StopExchange(
                connection,
                loop,
                owner >= 0 && owner < numbered.size() ? numbered.get(owner) : null,
                id,
                ClientKey.hash(request.headers(), target));
    }

    /**
     * What a request to {@code /chat} gets without an upstream: an EventSource that connects again is told to stop, for
     * another answer would be paid for again (WHATWG HTML 9.2.3). Null if it is to be answered.
     */
    private static Runnable localChat(DownstreamConnection connection, HttpRequest request) {
        HttpMethod method = request.method();
        var allow = new DefaultHttpHeaders().set(HttpHeaderNames.ALLOW, ChatSide.METHODS);
        if (method.equals(HttpMethod.OPTIONS)) {
            return () -> bare(connection, allow);
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.POST)) {
            return () -> connection.respond(405, ChatSide.methodRefused(), allow);
        }
        boolean again = request.headers().contains("last-event-id");
        return again ? () -> bare(connection, new DefaultHttpHeaders()) : null;
    }

    private DownstreamExchange text(RelayLoop loop, DownstreamConnection connection, int status, String text) {
        byte[] body = text.getBytes(StandardCharsets.US_ASCII);
        return local(loop, connection, () -> respond(connection, status, "text/plain; charset=utf-8", body));
    }

    private static DownstreamExchange local(RelayLoop loop, DownstreamConnection connection, Runnable answer) {
        return new LocalExchange(connection, answer, () -> loop.counters().endedLocally(Outcome.LOCAL.label()));
    }

    private static void bare(DownstreamConnection connection, HttpHeaders headers) {
        bare(connection, new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.NO_CONTENT, headers));
    }

    private static void bare(DownstreamConnection connection, HttpResponse response) {
        connection.writeHead(response);
        connection.endResponse();
    }

    private static void respond(DownstreamConnection connection, int status, String type, byte[] body) {
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
        response.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.length);
        response.headers().set("x-content-type-options", "nosniff");
        connection.writeHead(response);
        connection.writeBody(Unpooled.wrappedBuffer(body));
        connection.endResponse();
    }

    private static void respond(DownstreamConnection connection, Console.Answer answer) {
        var status = HttpResponseStatus.valueOf(answer.status());
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, status, answer.headers());
        if (answer.status() != HttpResponseStatus.NOT_MODIFIED.code()) {
            response.headers().set(HttpHeaderNames.CONTENT_LENGTH, answer.body().length);
        }
        connection.writeHead(response);
        connection.writeBody(Unpooled.wrappedBuffer(answer.body()));
        connection.endResponse();
    }

    private void check(RelaySettings current) {
        checking.execute(() -> checks.follow(current.destinations()));
    }

    private RelayLoop loop(Channel channel) {
        return loops.get(channel.eventLoop());
    }

    private void onEachLoop(java.util.function.Consumer<RelayLoop> action) {
        loops.values().forEach(loop -> loop.eventLoop().execute(() -> action.accept(loop)));
    }

    /** A tenth of the shortest limit that the sweep watches, so that a limit is late by no more than that. */
    private static long sweepPeriodNs(RelayConfig config) {
        long shortest = Long.MAX_VALUE;
        var all = new ArrayList<>(List.of(config.timeouts()));
        config.routes().forEach(route -> route.targets().forEach(target -> all.add(route.timeouts(target))));
        for (var timeouts : all) {
            for (Duration limit : List.of(
                    timeouts.ttft(),
                    timeouts.idle(),
                    timeouts.progress(),
                    timeouts.writeStall(),
                    timeouts.keepAlive(),
                    timeouts.requestHead(),
                    timeouts.requestBodyIdle())) {
                shortest = Math.min(shortest, limit.toNanos());
            }
            if (!timeouts.hold().isZero()) {
                shortest = Math.min(shortest, timeouts.hold().toNanos());
            }
        }
        for (var route : config.routes()) {
            if (!route.heartbeat().interval().isZero()) {
                shortest = Math.min(shortest, route.heartbeat().interval().toNanos());
            }
        }
        return Math.max(MIN_SWEEP_PERIOD_NS, Math.min(MAX_SWEEP_PERIOD_NS, shortest / 10));
    }
}
