package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.codec.dialect.FrameKind;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Health;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.Upstream.RetryBudget;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockRequest;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * For every dialect, fault and moment: the client's bytes, the number of requests to the upstream, and the connections
 * that the relay closed. A fault before the first output is retried, three attempts in all, and is not visible if one
 * of them succeeds. A later fault is reported and never retried. The same is tested for an upstream without
 * connections, and for a slow attempt with a parallel one.
 */
@Tag("sockets")
@Tag("h2")
class FaultTableTest {
    private static final int ATTEMPTS = 3;
    private static final int TOKENS = 3;
    private static final String ANSWER = "tokens=" + TOKENS;
    private static final int CLIENTS = 48;
    /** Several times what three attempts wait. */
    private static final int PATIENCE_MS = 40_000;

    /** No more at once than a budget of hedges saves. */
    private static final int HEDGES = 8;

    private static final Duration TTFT = Duration.ofMillis(2500);
    private static final Duration IDLE = Duration.ofSeconds(3);
    /** For what may follow a finish reason where nothing does. */
    private static final Duration TERMINAL_GRACE = Duration.ofSeconds(1);

    /** Well above the time to a first output that is on its way. */
    private static final Duration HEDGE = Duration.ofSeconds(1);

    private static final Duration AT_ONCE = Duration.ofMillis(500);
    private static final String ALWAYS = "";

    private static final AtomicInteger GROUPS = new AtomicInteger();
    private static final Map<Case, Future<Outcome>> OUTCOMES = new LinkedHashMap<>();
    private static final Map<Api, String> ANSWERS = new EnumMap<>(Api.class);
    private static final Map<Place, RelayServer> RELAYS = new EnumMap<>(Place.class);
    private static final Map<Place, MockServer> MOCKS = new EnumMap<>(Place.class);
    private static Socket nobody;
    private static ExecutorService clients;
    private static ExecutorService patientClients;
    private static ExecutorService hedgingClients;

    /** What a client must see. */
    private interface View {
        void verify(Case row, RawClient.Response response, String text) throws IOException;
    }

    /** The whole answer, as if nothing had happened. */
    private static final View WHOLE = (row, response, text) -> {
        assertThat(response.status()).isEqualTo(200);
        assertThat(text).isEqualTo(ANSWERS.get(row.api()));
    };

    /** What the upstream itself says, to the byte. */
    private static final View UPSTREAMS_OWN = (row, response, text) -> {
        RawClient.Response direct = direct(row);
        assertThat(response.status()).isEqualTo(direct.status());
        assertThat(response.header("content-type")).isEqualTo(direct.header("content-type"));
        assertThat(text).isEqualTo(normal(direct));
    };

    /** What the upstream itself says, and an error frame of ours behind it. */
    private static View upstreamsOwnAndError(String code) {
        return (row, response, text) -> {
            assertThat(response.status()).isEqualTo(200);
            String direct = normal(direct(row));
            assertThat(text).startsWith(direct);
            // Where the upstream has not ended its last line, the relay does before it speaks.
            String rest = text.substring(direct.length()).stripLeading();
            assertThat(row.api().failureOf(rest).code()).isEqualTo(code);
        };
    }

    /** The answer up to that many outputs, and an error frame of ours, which says how far it came. */
    private static View broken(int outputs, String code) {
        return (row, response, text) -> {
            assertThat(response.status()).isEqualTo(200);
            String sent = answerUpTo(row.api(), outputs);
            assertThat(text).startsWith(sent);
            Api.Failure failure = row.api().failureOf(text.substring(sent.length()));
            assertThat(failure.code()).isEqualTo(code);
            int bytes = sent.getBytes(StandardCharsets.UTF_8).length;
            assertThat(failure.message()).endsWith(" after " + outputs + " output frames, " + bytes + " bytes");
        };
    }

    /** A JSON error of ours, in the dialect's shape. */
    private static View refused(int status, String code) {
        return (row, response, text) -> {
            assertThat(response.status()).isEqualTo(status);
            String told = row.api().refusalOf(text).code();
            assertThat(told).isIn(code, null);
        };
    }

    /** Where a request goes: each has a relay and a mock of its own, which remembers so many requests only. */
    private enum Place {
        /** One upstream, the mock. */
        MOCK(0),
        /** The same, for what takes longer than work does. */
        WAITING(0),
        /** An upstream that takes no connection. */
        NOBODY(ATTEMPTS),
        /** Such a one, and the mock behind it. */
        BEHIND_NOBODY(ATTEMPTS),
        /** The mock, and a second attempt at it, under another name, when the first has no output in time. */
        HEDGED(0);

        /** Attempts that the mock does not see. */
        private final int unseen;

        Place(int unseen) {
            this.unseen = unseen;
        }
    }

    /** Whose doing it must be that the connection of each attempt that failed is closed. */
    private enum Closing {
        /** The relay lets go of an upstream that would stay open. */
        BY_RELAY,
        /** The upstream has closed, or has nothing more to say. */
        ANY
    }

    /** One row; an attempt fails as {@code fault} says. */
    private record Case(
            int group,
            Place place,
            Api api,
            String moment,
            String fault,
            String failing,
            View view,
            int attempts,
            Closing closing) {
        String spec() {
            // The group stands between commas, so that no other group's name contains it.
            return ANSWER + "," + failing + "group=g" + group + "," + fault;
        }

        /** The upstream that serves in the end. */
        String served() {
            return switch (place) {
                case MOCK, WAITING, BEHIND_NOBODY -> "mock";
                case NOBODY -> "nobody";
                case HEDGED -> attempts == 1 ? "mock" : "second";
            };
        }

        @Override
        public String toString() {
            return place + ", " + api + ", " + moment + ": " + fault + (failing.isEmpty() ? "" : " (" + failing + ")");
        }
    }

    /** What came of it. */
    private record Outcome(RawClient.Response response, Duration took, List<MockRequest> requests) {}

    @BeforeAll
    static void run() throws IOException {
        nobody = new Socket();
        // Bound, but it does not listen: nobody else gets its port.
        nobody.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        for (Place place : Place.values()) {
            MOCKS.put(place, MockServer.start(MockConfig.defaults()));
            RELAYS.put(place, RelayHarness.serve(config(place)));
        }
        for (Api api : Api.values()) {
            ANSWERS.put(api, normal(ask(MOCKS.get(Place.MOCK).port(), api, ANSWER)));
        }
        clients = Executors.newFixedThreadPool(CLIENTS);
        patientClients = Executors.newCachedThreadPool();
        hedgingClients = Executors.newFixedThreadPool(HEDGES);
        for (Case row : rows()) {
            OUTCOMES.put(row, clients(row).submit(() -> run(row)));
        }
    }

    @AfterAll
    static void stop() throws IOException {
        clients.shutdownNow();
        patientClients.shutdownNow();
        hedgingClients.shutdownNow();
        for (Place place : Place.values()) {
            await().until(() -> RELAYS.get(place).metrics().activeExchanges() == 0);
            await().until(() -> MOCKS.get(place).stats().activeStreams() == 0);
            RELAYS.remove(place).close();
            MOCKS.remove(place).close();
        }
        nobody.close();
        OUTCOMES.clear();
    }

    static List<Case> cases() {
        return List.copyOf(OUTCOMES.keySet());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void tellsTheTruth(Case row) throws IOException, InterruptedException, ExecutionException {
        Outcome outcome = OUTCOMES.get(row).get();
        assertThat(outcome.requests())
                .as("attempts of %s, which took %s", row, outcome.took())
                .hasSize(row.attempts() - row.place().unseen);
        RawClient.Response response = outcome.response();
        assertThat(response.header("x-millrace-attempts")).as(row.toString()).isEqualTo("" + row.attempts());
        assertThat(response.header("x-millrace-upstream")).as(row.toString()).isEqualTo(row.served());
        String text = normal(response);
        try {
            row.view().verify(row, response, text);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        } catch (AssertionError e) {
            // Maven's report numbers the cases, it does not name them.
            throw new AssertionError(row + ": " + e.getMessage() + "\n" + response.head() + "\n" + text, e);
        }
        if (row.attempts() > 1 && response.status() != 200) {
            assertThat(response.header("x-should-retry")).as(row.toString()).isEqualTo("false");
        }
        if (row.attempts() > 1 && row.fault().contains("retry_after")) {
            assertThat(outcome.took()).as(row.toString()).isGreaterThan(AT_ONCE);
        }
        if (row.closing() == Closing.BY_RELAY) {
            int failed = row.view() == WHOLE ? row.attempts() - 1 : row.attempts();
            for (MockRequest request : outcome.requests().subList(0, failed)) {
                await(row.toString()).until(() -> request.closedByPeerNs() != 0);
            }
        }
    }

    private static RelayConfig config(Place place) {
        var upstreams = new LinkedHashMap<String, Upstream>();
        URI mock = MOCKS.get(place).uri();
        if (place == Place.NOBODY || place == Place.BEHIND_NOBODY) {
            var nowhere = URI.create("http://127.0.0.1:" + nobody.getLocalPort());
            upstreams.put("nobody", upstream("nobody", nowhere));
        }
        if (place != Place.NOBODY) {
            upstreams.put("mock", upstream("mock", mock));
        }
        if (place == Place.HEDGED) {
            upstreams.put("second", upstream("second", mock));
        }
        var retry = Retry.DEFAULT
                .with(r -> r.attempts = ATTEMPTS)
                .with(r -> r.base = Duration.ofMillis(2))
                .with(r -> r.cap = Duration.ofMillis(10));
        var targets = upstreams.keySet().stream().map(Route.Target::of).toList();
        Route route = Route.of("r", Match.ALL, targets).with(r -> r.retry = retry);
        return RelayHarness.withTimeouts(
                RelayConfig.relayTo(mock)
                        .with(c -> c.accessLog = AccessLog.OFF)
                        .with(c -> c.routes = List.of())
                        .with(c -> c.upstreams = upstreams)
                        .with(c -> c.routes = List.of(
                                place == Place.HEDGED ? route.with(r -> r.hedge = new Hedge(HEDGE, 1)) : route)),
                Timeouts.DEFAULT
                        .with(t -> t.ttft = TTFT)
                        .with(t -> t.idle = IDLE)
                        .with(t -> t.terminalGrace = TERMINAL_GRACE));
    }

    private static Upstream upstream(String name, URI uri) {
        return Upstream.of(name, uri)
                .with(u -> u.health =
                        Health.DEFAULT.with(h -> h.consecutiveFailures = 0).with(h -> h.failureRate = 0))
                .with(u -> u.retryBudget = new RetryBudget(1, 1_000_000));
    }

    private static ExecutorService clients(Case row) {
        if (row.place() == Place.HEDGED) {
            return hedgingClients;
        }
        return row.place() == Place.WAITING ? patientClients : clients;
    }

    private static List<Case> rows() {
        var table = new Table();
        for (Api api : Api.values()) {
            table.begin(api);
            table.beforeTheHead();
            table.afterTheHead();
            table.afterStructuralFrames();
            table.afterTheFirstOutput();
            table.atTheTerminal();
            table.withoutAConnection();
            table.hedged();
        }
        return table.rows;
    }

    /** Writes the rows down, moment by moment. */
    private static final class Table {
        private final List<Case> rows = new ArrayList<>();
        private Place place;
        private Api api;
        private String moment;

        void begin(Api api) {
            this.api = api;
            place = Place.MOCK;
        }

        private void beforeTheHead() {
            moment = "before the head";
            for (int status : new int[] {408, 409, 425, 429, 500, 502, 503, 504, 529}) {
                retried("status=" + status, UPSTREAMS_OWN, Closing.ANY);
            }
            for (int status : new int[] {400, 401, 403, 404, 413, 422}) {
                notRetried("status=" + status);
            }
            notRetried("status=503,should_retry=0");
            row("status=400,should_retry=1", "fail_first=1,", WHOLE, 2, Closing.ANY);
            notRetried("status=429,retry_after=3600");
            row("status=429,retry_after_ms=600", "fail_first=1,", WHOLE, 2, Closing.ANY);
            row("status=503,retry_after=1", "fail_first=1,", WHOLE, 2, Closing.ANY);
            row("status=503,retry_after_s=2", "fail_first=1,", WHOLE, 2, Closing.ANY);
            retried("close_on_accept=1", refused(502, "upstream_reset"), Closing.ANY);
            retried("stall_head=1", refused(504, "upstream_no_output"), Closing.BY_RELAY);
        }

        private void afterTheHead() {
            moment = "after the head";
            retried("end_at_byte=0", refused(502, "upstream_truncated"), Closing.ANY);
            retried("reset_at_byte=0", refused(502, "upstream_reset"), Closing.ANY);
            retried("empty=1", refused(502, "upstream_truncated"), Closing.ANY);
            retried("stall_after_head=1", refused(504, "upstream_no_output"), Closing.BY_RELAY);
            retried("status=200,error_code=" + overloaded(), UPSTREAMS_OWN, Closing.ANY);
            notRetried("status=200,error_code=" + hopeless());
            row("content_type=text/html", ALWAYS, WHOLE, 1, Closing.ANY);
            retried("error_first=1", UPSTREAMS_OWN, Closing.ANY);
            retried("error_first=1,error_code=" + limited(), UPSTREAMS_OWN, Closing.ANY);
            notRetried("error_first=1,error_code=" + hopeless());
        }

        private void afterStructuralFrames() {
            moment = "after structural frames";
            retried("error_after=0", UPSTREAMS_OWN, Closing.ANY);
            retried("error_after=0,linger=1", UPSTREAMS_OWN, Closing.BY_RELAY);
            notRetried("error_after=0,error_code=" + hopeless());
            retried("hidden_error_after=0", upstreamsOwnAndError("upstream_error"), Closing.ANY);
            retried("end_after=0", refused(502, "upstream_truncated"), Closing.ANY);
            retried("reset_after=0", refused(502, "upstream_reset"), Closing.ANY);
            retried("eof_after=0", refused(502, "upstream_truncated"), Closing.ANY);
            retried("stall_after=0", refused(504, "upstream_no_output"), Closing.BY_RELAY);
            retried("stall_after=0,comment_every_ms=100", refused(504, "upstream_no_output"), Closing.BY_RELAY);
            retried("garbage_chunk_after=0", refused(502, "upstream_protocol"), Closing.ANY);
            if (api == Api.RESPONSES) {
                retried("error_after=0,failed=1", UPSTREAMS_OWN, Closing.ANY);
                notRetried("error_after=0,failed=1,error_code=context_length_exceeded");
                notRetried("error_after=0,failed=1,error_code=insufficient_quota");
            }
        }

        private void afterTheFirstOutput() {
            for (int outputs : new int[] {1, 2}) {
                moment = "after output " + outputs;
                broken("end_after=" + outputs, outputs, "upstream_truncated", Closing.ANY);
                broken("reset_after=" + outputs, outputs, "upstream_reset", Closing.ANY);
                broken("eof_after=" + outputs, outputs, "upstream_truncated", Closing.ANY);
                broken("stall_after=" + outputs, outputs, "upstream_idle", Closing.BY_RELAY);
                broken("garbage_chunk_after=" + outputs, outputs, "upstream_reset", Closing.ANY);
                notRetried("error_after=" + outputs);
                row("error_after=" + outputs + ",linger=1", ALWAYS, UPSTREAMS_OWN, 1, Closing.BY_RELAY);
                row("hidden_error_after=" + outputs, ALWAYS, upstreamsOwnAndError("upstream_error"), 1, Closing.ANY);
            }
        }

        private void atTheTerminal() {
            moment = "at the terminal";
            broken("end_after=" + TOKENS, TOKENS, "upstream_truncated", Closing.ANY);
            broken("reset_after=" + TOKENS, TOKENS, "upstream_reset", Closing.ANY);
            row("linger=1", ALWAYS, WHOLE, 1, Closing.ANY);
            row("extra_bytes=1", ALWAYS, WHOLE, 1, Closing.ANY);
            notRetried("tokens=0");
            notRetried("refusal=1");
            notRetried("tokens=0,refusal=1");
            if (api != Api.RESPONSES) {
                notRetried("tokens=0,finish=" + (api == Api.GEMINI ? "SAFETY" : "content_filter"));
            }
            if (api == Api.CHAT) {
                notRetried("done=0");
            } else {
                row("done=0", ALWAYS, upstreamsOwnAndError("upstream_truncated"), 1, Closing.ANY);
            }
        }

        private void withoutAConnection() {
            moment = "before the connection";
            place = Place.NOBODY;
            row("ttft_ms=1", ALWAYS, refused(502, "upstream_unreachable"), ATTEMPTS, Closing.ANY);
            place = Place.BEHIND_NOBODY;
            row("ttft_ms=1", ALWAYS, WHOLE, ATTEMPTS + 1, Closing.ANY);
        }

        /** The first attempt is slow: the one beside it serves, and the slow one is let go. After an output there is none. */
        private void hedged() {
            place = Place.HEDGED;
            moment = "before the head";
            row("stall_head=1", "fail_first=1,", WHOLE, 2, Closing.BY_RELAY);
            moment = "after the head";
            row("stall_after_head=1", "fail_first=1,", WHOLE, 2, Closing.BY_RELAY);
            moment = "after structural frames";
            row("stall_after=0", "fail_first=1,", WHOLE, 2, Closing.BY_RELAY);
            row("stall_after=0,comment_every_ms=100", "fail_first=1,", WHOLE, 2, Closing.BY_RELAY);
            moment = "after output 1";
            broken("stall_after=1", 1, "upstream_idle", Closing.BY_RELAY);
        }

        /** Each provider's words for what may be tried again, and for what may not. */
        private String overloaded() {
            return switch (api) {
                case CHAT, RESPONSES -> "server_error";
                case MESSAGES -> "overloaded_error";
                case GEMINI -> "UNAVAILABLE";
            };
        }

        private String limited() {
            return switch (api) {
                case CHAT, RESPONSES -> "rate_limit_exceeded";
                case MESSAGES -> "rate_limit_error";
                case GEMINI -> "RESOURCE_EXHAUSTED";
            };
        }

        private String hopeless() {
            return switch (api) {
                case CHAT -> "insufficient_quota";
                case RESPONSES -> "invalid_prompt";
                case MESSAGES -> "invalid_request_error";
                case GEMINI -> "INVALID_ARGUMENT";
            };
        }

        /** The second or the third attempt succeeds, or none does. */
        private void retried(String fault, View last, Closing closing) {
            row(fault, "fail_first=1,", WHOLE, 2, closing);
            row(fault, "fail_first=2,", WHOLE, ATTEMPTS, closing);
            row(fault, ALWAYS, last, ATTEMPTS, closing);
        }

        private void notRetried(String fault) {
            row(fault, ALWAYS, UPSTREAMS_OWN, 1, Closing.ANY);
        }

        private void broken(String fault, int outputs, String code, Closing closing) {
            row(fault, ALWAYS, FaultTableTest.broken(outputs, code), 1, closing);
        }

        private void row(String fault, String failing, View view, int attempts, Closing closing) {
            boolean waits = place == Place.MOCK && fault.startsWith("stall");
            rows.add(new Case(
                    GROUPS.incrementAndGet(),
                    waits ? Place.WAITING : place,
                    api,
                    moment,
                    fault,
                    failing,
                    view,
                    attempts,
                    closing));
        }
    }

    private static Outcome run(Case row) throws IOException {
        // A connection that was used before and breaks before an answer was stale: another takes its place, no attempt
        // more.
        if (row.fault().startsWith("close_on_accept") || row.fault().startsWith("extra_bytes")) {
            try (var fresh = RelayHarness.serve(config(row.place()))) {
                return run(row, fresh);
            }
        }
        return run(row, RELAYS.get(row.place()));
    }

    private static Outcome run(Case row, RelayServer relay) throws IOException {
        long startNs = System.nanoTime();
        RawClient.Response response = ask(relay.addresses().get(0).getPort(), row.api(), row.spec());
        var took = Duration.ofNanos(System.nanoTime() - startNs);
        String group = "%2Cgroup%3Dg" + row.group() + "%2C";
        return new Outcome(
                response,
                took,
                MOCKS.get(row.place()).requests().stream()
                        .filter(request -> request.uri().contains(group))
                        .toList());
    }

    /** What the upstream says by itself when it fails. */
    private static RawClient.Response direct(Case row) throws IOException {
        return ask(
                MOCKS.get(row.place()).port(),
                row.api(),
                ANSWER + "," + row.fault().replace(",linger=1", ""));
    }

    private static RawClient.Response ask(int port, Api api, String spec) throws IOException {
        try (var client = new RawClient(port)) {
            client.socket().setSoTimeout(PATIENCE_MS);
            client.post(RelayHarness.withSpec(api.path, spec), "m", "");
            return client.readAll();
        }
    }

    private static String answerUpTo(Api api, int outputs) {
        var inspector = api.dialect.newInspector();
        var sent = new StringBuilder();
        int seen = 0;
        for (byte[] frame : RawClient.cut(ANSWERS.get(api).getBytes(StandardCharsets.UTF_8))) {
            if (seen == outputs) {
                break;
            }
            sent.append(new String(frame, StandardCharsets.UTF_8));
            if (inspector.inspect(Unpooled.wrappedBuffer(frame), 0, frame.length) == FrameKind.OUTPUT) {
                seen++;
            }
        }
        return sent.toString();
    }

    /** Without the ids and times that differ from one answer to the next, all of the same length. */
    private static String normal(RawClient.Response response) {
        return response.text()
                .replaceAll("mock[0-9]{8}", "mock00000000")
                .replaceAll("\"created(_at)?\":[0-9]{10}", "\"created$1\":1000000000");
    }
}
