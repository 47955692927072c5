package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.RelayServer;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.Health;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Balance;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.memory.Held;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Upstreams that answer at a difficult moment, or only in part. */
@Tag("sockets")
class AttemptEdgesTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final Retry QUICK =
            Retry.DEFAULT.with(r -> r.base = Duration.ofMillis(5)).with(r -> r.cap = Duration.ofMillis(20));
    private static final Health TWO_IN_A_ROW = Health.DEFAULT.with(h -> h.consecutiveFailures = 2);
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final String SSE = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    private static final String CHUNKED = SSE + "Transfer-Encoding: chunked\r\n\r\n";

    @Test
    void givesTheStatusOfAnErrorWhoseBodyBreaksOff() throws IOException {
        String half = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 99\r\n\r\n{\"err";
        try (var upstream = ScriptedUpstream.answeringAndClosing(half);
                var relay = relay(List.of(upstream.uri()), QUICK, null)) {
            RawClient.Response response = ask(relay, CHAT, "");
            assertThat(response.status()).isEqualTo(429);
            assertThat(response.text()).contains("broke off").endsWith("}");
            assertThat(response.header("x-should-retry")).isEqualTo("false");
            assertThat(upstream.connections()).isEqualTo(3);
        }
    }

    @Test
    void doesNotHoldAnAccountsQuotaAgainstTheOrigin() throws IOException {
        String quota =
                "{\"error\":{\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\",\"message\":\"x\"}}";
        String answer = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: "
                + quota.length() + "\r\n\r\n" + quota;
        try (var upstream = ScriptedUpstream.answering(answer);
                var relay = relay(List.of(upstream.uri()), Retry.OFF, null)) {
            for (int i = 0; i < 8; i++) {
                RawClient.Response response = ask(relay, CHAT, "");
                assertThat(response.status()).isEqualTo(429);
                assertThat(response.text()).isEqualTo(quota);
            }
            assertThat(new String(relay.metrics().text(), StandardCharsets.UTF_8))
                    .containsPattern("millrace_origin_ejections_total\\{[^}]*} 0\\.0");
        }
    }

    @Test
    void endsAStreamOfHeartbeatsWithAnErrorWhenACodedErrorComes() throws IOException {
        var heartbeatSeen = new CountDownLatch(1);
        var credential = new Credential("x-api-key", "", Secret.of("key-of-the-relay", "env: TEST"));
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    await(heartbeatSeen);
                    connection.send("HTTP/1.1 401 No\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope");
                    connection.read();
                });
                var relay = RelayHarness.serve(RelayHarness.withHeartbeat(
                        config(Upstream.of("u", upstream.uri()).with(u -> u.credential = credential), QUICK, null)
                                .with(c -> c.clients = ClientAccess.ALLOW_OPEN),
                        Heartbeat.DEFAULT
                                .with(h -> h.interval = Duration.ofMillis(30))
                                .with(h -> h.early = true)));
                var client = new RawClient(port(relay))) {
            client.post(CHAT, "m", "");
            String head = client.readHead();
            heartbeatSeen.countDown();
            RawClient.Response response = client.readBody(head);
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(response.text()).startsWith(": ping\n\n").contains("401").doesNotContain("HTTP/1.1");
        }
    }

    @Test
    void endsAHedgesEmptyStreamAndLetsTheOtherGo() throws Exception {
        var letGo = new CountDownLatch(1);
        try (var slow = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    if (connection.read() < 0) {
                        letGo.countDown();
                    }
                });
                var empty = ScriptedUpstream.answering(CHUNKED + "0\r\n\r\n");
                var relay = relay(List.of(slow.uri(), empty.uri()), Retry.OFF, new Hedge(Duration.ofMillis(30), 1))) {
            while (slow.connections() == 0) {
                RawClient.Response response = get(relay, "/mcp");
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            }
            await(letGo);
            Awaitility.await().until(() -> relay.metrics().activeExchanges() == 0);
        }
    }

    @Test
    void waitsForTheOtherChoicesOfALongPrompt() throws IOException {
        var firstSeen = new CountDownLatch(1);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(CHUNKED + chunk(choice(0, "A")) + chunk(finish(0)));
                    await(firstSeen);
                    // Longer than the grace of one choice.
                    connection.socket().setSoTimeout(80);
                    assertThat(readTimesOut(connection)).isTrue();
                    connection.send(chunk(choice(1, "B")) + chunk(finish(1)) + chunk("data: [DONE]\n\n") + "0\r\n\r\n");
                });
                var relay = RelayHarness.serve(RelayHarness.withTimeouts(
                        config(Upstream.of("u", upstream.uri()), Retry.OFF, null),
                        Timeouts.DEFAULT.with(t -> t.terminalGrace = Duration.ofMillis(20))));
                var client = new RawClient(port(relay))) {
            client.post(CHAT, "m", "\"n\":2,\"user\":\"" + "x".repeat(200_000) + "\",");
            String begun = client.readUntil("\"finish_reason\":\"stop\"");
            firstSeen.countDown();
            assertThat(begun).contains("\"content\":\"A\"");
            assertThat(client.readUntil("data: [DONE]")).contains("\"content\":\"B\"");
        }
    }

    @Test
    void doesNotTryAgainWhatSucceeded() throws IOException {
        String made = "HTTP/1.1 201 Created\r\nx-should-retry: true\r\nContent-Length: 2\r\n\r\n{}";
        try (var upstream = ScriptedUpstream.answering(made);
                var relay = relay(List.of(upstream.uri()), QUICK, null)) {
            assertThat(ask(relay, CHAT, "").status()).isEqualTo(201);
            assertThat(upstream.requests()).hasSize(1);
        }
    }

    @Test
    void commitsWhenItHoldsTooManyBytes() throws IOException {
        String comment = ": " + "x".repeat(60_000) + "\n\n";
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(CHUNKED + chunk(comment).repeat(5));
                    connection.read();
                });
                var relay = RelayHarness.serve(RelayHarness.withTimeouts(
                        config(Upstream.of("u", upstream.uri()), Retry.OFF, null),
                        Timeouts.DEFAULT.with(t -> t.ttft = Duration.ofSeconds(3))));
                var client = new RawClient(port(relay))) {
            client.post(CHAT, "m", "");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 300})
    void commitsWhenItHasHeldForLongEnough(int holdMs) throws IOException {
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(CHUNKED + chunk(": begun\n\n"));
                    connection.read();
                });
                var relay = RelayHarness.serve(RelayHarness.withTimeouts(
                        config(Upstream.of("u", upstream.uri()), QUICK, null),
                        Timeouts.DEFAULT.with(t -> t.hold = Duration.ofMillis(holdMs))));
                var client = new RawClient(port(relay))) {
            long startNs = System.nanoTime();
            client.post(CHAT, "m", "");
            assertThat(client.readUntil(": begun\n\n")).startsWith("HTTP/1.1 200");
            assertThat(Duration.ofNanos(System.nanoTime() - startNs)).isGreaterThan(Duration.ofMillis(holdMs));
            assertThat(upstream.connections()).isOne();
        }
    }

    @Test
    void triesTheThirdOriginThatAKeyPointsTo() throws IOException {
        Set<Integer> failing = ConcurrentHashMap.newKeySet();
        var origins = new ArrayList<ScriptedUpstream>();
        try {
            for (int i = 0; i < 3; i++) {
                int origin = i;
                origins.add(ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    boolean fails = failing.contains(origin) || (failing.size() < 2 && failing.add(origin));
                    connection.send(fails ? "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" : OK);
                }));
            }
            var upstream =
                    Upstream.of("u", origins.stream().map(ScriptedUpstream::uri).toList());
            Route route = Route.of("r", Match.ALL, "u").with(r -> r.balance = Balance.header("host"));
            try (var relay = RelayHarness.serve(config(upstream).with(c -> c.routes = List.of(route)))) {
                RawClient.Response response = ask(relay, CHAT, "");
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.header("x-millrace-attempts")).isEqualTo("3");
                assertThat(origins).allMatch(origin -> origin.connections() == 1);
            }
        } finally {
            for (ScriptedUpstream origin : origins) {
                origin.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsToTheLimitOfAnUpstreamThatFilledUpDuringAWait(boolean another) throws IOException {
        String wait = "HTTP/1.1 503 No\r\nRetry-After-Ms: 1500\r\nContent-Length: 0\r\n\r\n";
        try (var narrow = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    if (connection.number() == 1) {
                        connection.send(wait);
                    } else {
                        connection.send(CHUNKED + chunk(choice(0, "A")));
                        connection.read();
                    }
                });
                var wide = ScriptedUpstream.answering(OK);
                var relay = RelayHarness.serve(narrowConfig(narrow.uri(), wide.uri(), another));
                var waiting = new RawClient(port(relay));
                var other = new RawClient(port(relay))) {
            waiting.post(CHAT, "m", "");
            Awaitility.await().until(() -> narrow.requests().size() == 1);
            other.post(CHAT, "m", "");
            other.readUntil("\"A\"");
            RawClient.Response response = waiting.readAll();
            assertThat(narrow.requests()).hasSize(2);
            if (another) {
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.header("x-millrace-upstream")).isEqualTo("wide");
                assertThat(response.header("x-millrace-attempts")).isEqualTo("2");
            } else {
                assertThat(response.status()).isEqualTo(503);
                assertThat(response.header("retry-after")).isEqualTo("1");
                assertThat(Api.CHAT.refusalOf(response.text()).code()).isEqualTo("upstream_busy");
            }
        }
    }

    @Test
    void countsAnOutputThatItsClientDidNotWaitFor() throws IOException {
        var left = new CountDownLatch(1);
        var begun = new CountDownLatch(1);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    if (connection.number() != 2) {
                        connection.send("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
                        return;
                    }
                    connection.send(CHUNKED + chunk(": begun\n\n"));
                    begun.countDown();
                    await(left);
                    connection.send(chunk(choice(0, "A")) + chunk(finish(0)) + chunk("data: [DONE]\n\n") + "0\r\n\r\n");
                });
                var relay = RelayHarness.serve(
                        readingOn(Upstream.of("u", upstream.uri()).with(u -> u.health = TWO_IN_A_ROW)))) {
            assertThat(ask(relay, CHAT, "").status()).isEqualTo(503);
            try (var client = new RawClient(port(relay));
                    var other = new RawClient(port(relay))) {
                client.post(CHAT, "m", "");
                await(begun);
                // When this is answered, the one event loop has read what came before it.
                other.send("GET", "/healthz", "");
                assertThat(other.readAll().status()).isEqualTo(200);
            }
            Awaitility.await().until(() -> relay.metrics().openConnections() == 0);
            left.countDown();
            Awaitility.await().until(() -> relay.metrics().activeExchanges() == 0);
            assertThat(ask(relay, CHAT, "").status()).isEqualTo(503);
            assertThat(upstream.connections()).isEqualTo(3);
            assertThat(new String(relay.metrics().text(), StandardCharsets.UTF_8))
                    .containsPattern("millrace_origin_ejections_total\\{[^}]*} 0\\.0");
        }
    }

    @Test
    void letsGoOfAnEarlierAnswerWhenItReadsOn() throws IOException {
        var left = new CountDownLatch(1);
        var begun = new CountDownLatch(1);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    if (connection.number() == 1) {
                        connection.send("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n{}");
                        return;
                    }
                    connection.send(CHUNKED + chunk(": begun\n\n"));
                    begun.countDown();
                    await(left);
                    connection.send(chunk(choice(0, "A")) + chunk(finish(0)) + chunk("data: [DONE]\n\n") + "0\r\n\r\n");
                });
                var relay = RelayHarness.serve(config(Upstream.of("u", upstream.uri()))
                        .with(c -> c.routes = List.of(Route.of("r", Match.ALL, "u")
                                .with(r -> r.retry = QUICK)
                                .with(r -> r.disconnect = Disconnect.READ_ON))))) {
            try (var client = new RawClient(port(relay));
                    var other = new RawClient(port(relay))) {
                client.post(CHAT, "m", "");
                await(begun);
                // When this is answered, the one event loop has read what came before it.
                other.send("GET", "/healthz", "");
                assertThat(other.readAll().status()).isEqualTo(200);
            }
            Awaitility.await().until(() -> relay.metrics().openConnections() == 0);
            assertThat(relay.metrics().activeExchanges()).isEqualTo(1);
            left.countDown();
            Awaitility.await().until(() -> relay.metrics().activeExchanges() == 0);
            assertThat(relay.metrics().held(Held.ANSWERS)).isZero();
        }
    }

    private static RelayConfig readingOn(Upstream upstream) {
        Route route = Route.of("r", Match.ALL, "u")
                .with(r -> r.retry = Retry.OFF)
                .with(r -> r.disconnect = Disconnect.READ_ON);
        return config(upstream).with(c -> c.routes = List.of(route));
    }

    private static RelayConfig narrowConfig(URI narrow, URI wide, boolean another) {
        var upstreams = Map.of(
                "narrow",
                Upstream.of("narrow", narrow).with(u -> u.maxConcurrent = 1),
                "wide",
                Upstream.of("wide", wide));
        var targets = List.of(Route.Target.of("narrow"), Route.Target.of("wide"));
        Route route = Route.of("r", Match.ALL, another ? targets : targets.subList(0, 1));
        return RelayConfig.relayTo(narrow)
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1)
                .with(c -> c.routes = List.of())
                .with(c -> c.upstreams = upstreams)
                .with(c -> c.routes = List.of(route.with(r -> r.retry = QUICK)));
    }

    private static boolean readTimesOut(ScriptedUpstream.Connection connection) throws IOException {
        try {
            connection.read();
            return false;
        } catch (java.net.SocketTimeoutException e) {
            return true;
        }
    }

    private static String choice(int index, String text) {
        return "data: {\"choices\":[{\"index\":" + index + ",\"delta\":{\"content\":\"" + text
                + "\"},\"finish_reason\":null}]}\n\n";
    }

    private static String finish(int index) {
        return "data: {\"choices\":[{\"index\":" + index + ",\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    }

    private static String chunk(String data) {
        return Integer.toHexString(data.length()) + "\r\n" + data + "\r\n";
    }

    private static RelayServer relay(List<URI> origins, Retry retry, Hedge hedge) {
        return RelayHarness.serve(config(Upstream.of("u", origins), retry, hedge));
    }

    private static RelayConfig config(Upstream upstream, Retry retry, Hedge hedge) {
        Route route = Route.of("r", Match.ALL, "u").with(r -> r.retry = retry);
        return config(upstream).with(c -> c.routes = List.of(hedge == null ? route : route.with(r -> r.hedge = hedge)));
    }

    private static RelayConfig config(Upstream upstream) {
        return RelayConfig.relayTo(upstream.url())
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1)
                .with(c -> c.routes = List.of())
                .with(c -> c.upstreams = Map.of("u", upstream));
    }

    private static RawClient.Response ask(RelayServer relay, String path, String fields) throws IOException {
        try (var client = new RawClient(port(relay))) {
            client.post(path, "m", fields);
            return client.readAll();
        }
    }

    private static RawClient.Response get(RelayServer relay, String path) throws IOException {
        try (var client = new RawClient(port(relay))) {
            client.send("GET", path, "");
            return client.readAll();
        }
    }

    private static int port(RelayServer relay) {
        return relay.addresses().get(0).getPort();
    }

    private static void await(CountDownLatch latch) {
        Awaitility.await().until(() -> latch.getCount() == 0);
    }
}
