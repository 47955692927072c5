package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.access.Caller;
import io.millrace.server.chat.ChatSide;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.downstream.ClientStream.End;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.DialectSide;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.StreamNames;
import io.millrace.server.route.RouteTable;
import io.millrace.server.telemetry.AccessLogger;
import io.millrace.server.telemetry.LoopCounters;
import io.millrace.server.telemetry.Metrics;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Tracing;
import io.millrace.server.test.FakeCall;
import io.millrace.server.test.FakeClientStream;
import io.millrace.server.test.FakeUpstreams;
import io.millrace.server.timing.Sweeper;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.slf4j.helpers.NOPLogger;

/** An event loop with one client and upstreams, all without sockets. The test moves the time. */
final class ExchangeBed implements AutoCloseable {
    static final String CHAT = "/v1/chat/completions";
    static final String ASKS = "{\"model\":\"m\",\"stream\":true}";
    static final String OUTPUT = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    static final String DONE = "data: [DONE]\n\n";

    final FakeUpstreams upstreams = new FakeUpstreams();
    FakeClientStream client = new FakeClientStream();
    final RouteTable routes;
    final RelayLoop loop;
    private final Metrics metrics;
    private Exchange exchange;

    /** With a target for each of {@code names}. A name may give the number of its origins: {@code a} or {@code b:2}. */
    ExchangeBed(UnaryOperator<Route> change, String... names) {
        this(change, upstream -> upstream, MemoryBudget.ofJvm(), names);
    }

    /** The same, with upstreams that {@code each} changes, and a budget of memory. */
    ExchangeBed(UnaryOperator<Route> change, UnaryOperator<Upstream> each, MemoryBudget budget, String... names) {
        var targets = new ArrayList<Route.Target>();
        Map<String, Upstream> named = new TreeMap<>();
        for (String name : names) {
            String[] parts = name.split(":", 2);
            var urls = new ArrayList<URI>();
            for (int i = 0; i < (parts.length == 1 ? 1 : Integer.parseInt(parts[1])); i++) {
                urls.add(URI.create("http://" + parts[0] + i + ":80"));
            }
            targets.add(Route.Target.of(parts[0]));
            named.put(parts[0], each.apply(Upstream.of(parts[0], urls)));
        }
        Route route = change.apply(Route.of("all", Match.ALL, targets));
        RelayConfig config =
                RelayConfig.defaults().with(c -> c.upstreams = named).with(c -> c.routes = List.of(route));
        routes = RouteTable.of(config, null);
        var memory = new MemoryAccount(1, budget);
        var loops = new ArrayList<RelayLoop>();
        var shared = new RelayLoop.Shared(
                new ReplayMemory(budget.heap() / 8),
                new StreamNames(),
                loops,
                null,
                1,
                () -> Resume.DEFAULT,
                Tracing.OFF);
        var sweeper = new Sweeper(client.eventLoop(), TimeUnit.HOURS.toNanos(1));
        var counters = new LoopCounters();
        var log = new AccessLogger(NOPLogger.NOP_LOGGER, sweeper, AccessLog.OFF);
        loop = RelayLoop.of(0, client.eventLoop(), upstreams, sweeper, counters, log, memory.loop(0), shared);
        loops.add(loop);
        metrics = new Metrics(List.of(counters), 1, memory, Map::of);
        client.pass(Duration.ZERO);
    }

    /** From now on another client asks. */
    void renew() {
        client = client.another();
        exchange = null;
    }

    /** A request whose head has come. */
    Exchange begin(String path, String... fields) {
        var head = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, path);
        for (int i = 0; i < fields.length; i += 2) {
            head.headers().add(fields[i], fields[i + 1]);
        }
        ClientSide side = path.equals(ChatSide.PATH) ? new ChatSide() : DialectSide.of(Dialect.ofPath(path));
        exchange = new Exchange(loop, routes, client, client.client(), side, head, Caller.ANYONE);
        exchange.start();
        return exchange;
    }

    /** A whole request. */
    Exchange ask(String path, String body) {
        begin(path);
        send(body);
        exchange.onRequestEnd();
        return exchange;
    }

    /** A whole request for a stream. */
    Exchange ask() {
        return ask(CHAT, ASKS);
    }

    /** A field of the head that the client got. */
    String header(String name) {
        return client.head().headers().get(name);
    }

    /** A part of the request's body. */
    void send(String part) {
        exchange.onRequestBody(Unpooled.copiedBuffer(part, StandardCharsets.UTF_8));
        exchange.onRequestReadComplete();
    }

    /** The next attempt gets its connection. */
    FakeCall connect() {
        return upstreams.next().connect();
    }

    /** The next attempt gets its connection, and an event stream begins there. */
    FakeCall stream() {
        FakeCall call = connect();
        call.head(200, "content-type", "text/event-stream");
        return call;
    }

    /** The next attempt gets a connection, and a whole answer there. */
    FakeCall answer(int status, String... fields) {
        FakeCall call = connect();
        call.head(status, fields);
        call.read("from " + status);
        call.end();
        return call;
    }

    /** Moves the time of scheduled tasks. */
    void pass(Duration time) {
        client.pass(time);
    }

    /** How the exchange ended: {@code ending status outcome}. */
    String end() {
        String open = client.ended() == null ? "open" : client.ended() == End.WHOLE ? "whole" : "in error";
        var end = new StringJoiner(" ").add(client.isReset() ? "reset" : open).add(Integer.toString(client.status()));
        for (Outcome outcome : Outcome.values()) {
            for (long i = 0; i < metrics.exchanges(outcome.label()); i++) {
                end.add(outcome.label());
            }
        }
        return end.toString();
    }

    /** Ends what has not ended. */
    @Override
    public void close() {
        if (exchange != null) {
            exchange.onClientGone("the test is over");
        }
    }
}
