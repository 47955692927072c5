package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.EventLoopHold;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.Upstream.RetryBudget;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The requests that an upstream may get twice: those without effect, and those that it cannot have processed. */
@Tag("sockets")
@Tag("h2")
class RepeatTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final String CHAT = "/v1/chat/completions";
    private static final Retry QUICK = RelayHarness.QUICK;

    @ParameterizedTest
    @CsvSource({
        "POST, /v1/batches, reset",
        "POST, /v1/fine_tuning/jobs, 500",
        "POST, /v1/files, 503",
        "POST, /mcp, close",
        "POST, /mcp, 429",
        "POST, /v1/responses/r1/cancel, 500",
        "DELETE, /v1/responses/r1, reset",
        "PUT, /v1/chat/completions, 500",
        "PATCH, /v1/x, close"
    })
    void doesNotAskTwiceForWhatMayBeDoneTwice(String method, String path, String failure) throws IOException {
        try (var upstream = failing(failure);
                var second = ScriptedUpstream.answering(OK);
                var relay = relay(QUICK, upstream.uri(), second.uri())) {
            RawClient.Response response = ask(relay, method, path, "{}");
            assertThat(response.status()).isIn(502, 500, 503, 429);
            assertThat(response.header("x-millrace-attempts")).isEqualTo("1");
            assertThat(upstream.requests()).hasSize(1);
            assertThat(second.requests()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /v1/chat/completions, reset",
        "POST, /v1/completions, 500",
        "POST, /v1/responses, 503",
        "POST, /v1/messages, close",
        "POST, /v1beta/models/g:generateContent, 500",
        "GET, /v1/models, reset",
        "HEAD, /v1/files/f, close",
        "OPTIONS, /v1/x, 500"
    })
    void asksAgainForWhatChangesNothing(String method, String path, String failure) throws IOException {
        try (var upstream = failing(failure);
                var relay = relay(QUICK, upstream.uri())) {
            ask(relay, method, path, method.equals("POST") ? "{}" : "");
            assertThat(upstream.requests()).hasSize(3);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void goesOnWithWhatNeverLeft(boolean off) throws IOException {
        try (var nobody = nobody();
                var upstream = ScriptedUpstream.answering(OK);
                var relay = relay(
                        off ? Retry.OFF : QUICK,
                        URI.create("http://127.0.0.1:" + nobody.getLocalPort()),
                        upstream.uri())) {
            RawClient.Response response = ask(relay, "POST", "/v1/files", "once");
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("x-millrace-upstream")).isEqualTo("u1");
            assertThat(upstream.requests()).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reset", "close", "500", "503", "429"})
    void sendsNothingTwiceWhereRetriesAreOff(String failure) throws IOException {
        try (var upstream = failing(failure);
                var second = ScriptedUpstream.answering(OK);
                var relay = relay(Retry.OFF, upstream.uri(), second.uri())) {
            assertThat(ask(relay, "POST", CHAT, "{}").status()).isNotEqualTo(200);
            assertThat(upstream.requests()).hasSize(1);
            assertThat(second.requests()).isEmpty();
        }
    }

    /** Such an upstream would leave every second request without an answer, because nobody may send it again. */
    @Test
    void usesEachConnectionOnceWhereRetriesAreOff() throws IOException {
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(OK);
                    connection.readRequest();
                });
                var relay = relay(Retry.OFF, upstream.uri());
                var client = new RawClient(port(relay))) {
            for (int i = 0; i < 3; i++) {
                assertThat(ask(client, "POST", CHAT, "{}").status()).isEqualTo(200);
            }
            assertThat(upstream.requests()).hasSize(3);
            assertThat(upstream.connections()).isEqualTo(3);
            await().until(() -> upstream.closed() == 3);
        }
    }

    @Test
    void countsAFreshConnectionAsAnAttempt() throws Exception {
        var sent = new CountDownLatch(1);
        var closed = new CountDownLatch(1);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(OK);
                    if (connection.number() == 1) {
                        awaitCount(sent);
                        connection.socket().close();
                        closed.countDown();
                    }
                });
                var relay = relay(QUICK, upstream.uri());
                var client = new RawClient(port(relay))) {
            assertThat(ask(client, "POST", "/mcp", "{}").status()).isEqualTo(200);
            var hold = EventLoopHold.on(relay);
            try {
                // The relay learns of the request first, and then that the connection it takes for it is closed.
                client.send("POST", "/mcp", "{}");
                sent.countDown();
                awaitCount(closed);
            } finally {
                hold.release();
            }
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("x-millrace-attempts")).isEqualTo("2");
            assertThat(metrics(relay)).contains("millrace_upstream_retries_total{upstream=\"u0\"} 1.0");
            assertThat(upstream.requests()).hasSize(2);
        }
    }

    @Test
    void takesNoFreshConnectionBeyondTheBudget() throws IOException {
        try (var upstream = closingAtItsSecond(() -> {});
                var relay = relay(QUICK, new RetryBudget(0, 0), upstream.uri());
                var client = new RawClient(port(relay))) {
            assertThat(ask(client, "POST", "/mcp", "{}").status()).isEqualTo(200);
            assertThat(ask(client, "POST", "/mcp", "{}").status()).isEqualTo(502);
            assertThat(upstream.requests()).hasSize(2);
        }
    }

    @Test
    void takesAConnectionThatEndsAfterAWhileForOneThatWorked() throws IOException {
        var worked = new CountDownLatch(1);
        try (var upstream = closingAtItsSecond(() -> awaitCount(worked));
                var relay = relay(QUICK, upstream.uri());
                var client = new RawClient(port(relay))) {
            assertThat(ask(client, "POST", "/mcp", "{}").status()).isEqualTo(200);
            client.send("POST", "/mcp", "{}");
            await().until(() -> upstream.requests().size() == 2);
            long startNs = System.nanoTime();
            await().pollDelay(Duration.ofMillis(100)).until(() -> System.nanoTime() - startNs > 100_000_000);
            worked.countDown();
            assertThat(client.readAll().status()).isEqualTo(502);
            assertThat(upstream.requests()).hasSize(2);
        }
    }

    @Test
    void keepsALongBodyForAConnectionThatIsDeadAlready() throws IOException {
        String body = "a".repeat(12 << 20);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    boolean first = connection.number() == 1;
                    while (connection.readRequest() != null) {
                        connection.send(OK);
                        if (first) {
                            // Of the second request no more than its first byte.
                            connection.read();
                            return;
                        }
                    }
                });
                var relay = relay(QUICK, upstream.uri());
                var client = new RawClient(port(relay))) {
            assertThat(ask(client, "POST", "/v1/files", "one").status()).isEqualTo(200);
            assertThat(ask(client, "POST", "/v1/files", body).status()).isEqualTo(200);
            assertThat(upstream.requests()).hasSize(2);
            assertThat(upstream.requests().get(1)).endsWith(body);
        }
    }

    @Test
    void asksNobodyElseBesideForWhatMayBeDoneTwice() throws IOException {
        var beside = new CountDownLatch(1);
        try (var slow = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    awaitCount(beside);
                    connection.send(OK);
                });
                var other = ScriptedUpstream.answering(OK);
                var relay = RelayHarness.serve(config(
                        RetryBudget.DEFAULT,
                        route -> route.with(r -> r.hedge = new Hedge(Duration.ofMillis(10), 1)),
                        slow.uri(),
                        other.uri()));
                var client = new RawClient(port(relay))) {
            client.send("POST", "/mcp", "{}");
            await().until(() -> slow.requests().size() == 1);
            // An answer is asked for beside meanwhile, which shows that hedges go out.
            assertThat(ask(relay, "POST", CHAT, "{}").status()).isEqualTo(200);
            beside.countDown();
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(other.requests()).hasSize(1).allMatch(request -> request.startsWith("POST " + CHAT));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"429", "hidden", "stream"})
    void holdsAClientsOwnLimitAgainstNoOrigin(String form) throws IOException {
        try (var upstream = limiting(form);
                var relay = relay(QUICK, upstream.uri())) {
            for (int i = 0; i < 4; i++) {
                stream(relay, "Authorization: Bearer limited");
            }
            assertThat(upstream.requests()).hasSize(12);
            assertThat(metrics(relay)).contains("millrace_origin_ejections_total", "millrace_origin_serving{");
            assertThat(metrics(relay)).doesNotContainPattern("millrace_origin_ejections_total\\{[^}]*} [1-9]");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"429", "stream"})
    void holdsALimitOfTheRelaysOwnKeyAgainstTheOrigin(String form) throws IOException {
        var key = new Credential("authorization", "Bearer ", Secret.of("key-of-the-relay", "env: TEST"));
        try (var upstream = limiting(form);
                var relay = RelayHarness.serve(config(RetryBudget.DEFAULT, route -> route, upstream.uri())
                        .with(c -> c.routes = List.of())
                        .with(c -> c.upstreams =
                                Map.of("u0", Upstream.of("u0", upstream.uri()).with(u -> u.credential = key)))
                        .with(c -> c.routes =
                                List.of(Route.of("r", Match.ALL, "u0").with(r -> r.retry = QUICK)))
                        .with(c -> c.clients = ClientAccess.ALLOW_OPEN))) {
            stream(relay, "Authorization: Bearer limited");
            stream(relay, "Authorization: Bearer limited");
            await().untilAsserted(() ->
                    assertThat(metrics(relay)).containsPattern("millrace_origin_ejections_total\\{[^}]*} 1"));
        }
    }

    @Test
    void holdsALimitOfNoKeyAgainstTheOrigin() throws IOException {
        try (var upstream = limiting("429");
                var relay = relay(QUICK, upstream.uri())) {
            stream(relay);
            stream(relay);
            await().untilAsserted(() ->
                    assertThat(metrics(relay)).containsPattern("millrace_origin_ejections_total\\{[^}]*} 1"));
        }
    }

    /** Says of every request that its key has reached its limit. */
    private static ScriptedUpstream limiting(String form) throws IOException {
        String error = "{\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_error\"}}";
        String event = "data: " + error + "\n\n";
        return ScriptedUpstream.answering(
                switch (form) {
                    case "hidden" -> answer("200 OK", "application/json", error);
                    case "stream" -> answer("200 OK", "text/event-stream", event);
                    default -> answer("429 Too Many Requests", "application/json", error);
                });
    }

    private static String answer(String status, String type, String body) {
        return "HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\nretry-after-ms: 1\r\nContent-Length: "
                + body.length() + "\r\n\r\n" + body;
    }

    private static ScriptedUpstream failing(String how) throws IOException {
        return ScriptedUpstream.start(connection -> {
            if (connection.readRequest() == null) {
                return;
            }
            switch (how) {
                case "reset" -> connection.reset();
                case "close" -> {}
                default ->
                    connection.send("HTTP/1.1 " + how
                            + " X\r\nretry-after-ms: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            }
        });
    }

    /** Reads the second request of its first connection, does {@code before} and closes; then serves all. */
    private static ScriptedUpstream closingAtItsSecond(Runnable before) throws IOException {
        return ScriptedUpstream.start(connection -> {
            boolean first = connection.number() == 1;
            while (connection.readRequest() != null) {
                connection.send(OK);
                if (first) {
                    connection.readRequest();
                    before.run();
                    return;
                }
            }
        });
    }

    /** A port that takes no connection while this is open. */
    private static Socket nobody() throws IOException {
        var socket = new Socket();
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return socket;
    }

    private static void awaitCount(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static RawClient.Response ask(RelayServer relay, String method, String path, String body)
            throws IOException {
        try (var client = new RawClient(port(relay))) {
            return ask(client, method, path, body);
        }
    }

    private static RawClient.Response ask(RawClient client, String method, String path, String body)
            throws IOException {
        client.send(method, path, body);
        return method.equals("HEAD")
                ? new RawClient.Response(client.readHead(), new byte[0], null, List.of())
                : client.readAll();
    }

    private static void stream(RelayServer relay, String... fields) throws IOException {
        try (var client = new RawClient(port(relay))) {
            client.send("POST", CHAT, "{\"model\":\"m\",\"stream\":true,\"messages\":[]}", fields);
            client.readAll();
        }
    }

    private static String metrics(RelayServer relay) {
        return new String(relay.metrics().text(), StandardCharsets.UTF_8);
    }

    private static int port(RelayServer relay) {
        return relay.addresses().get(0).getPort();
    }

    private static RelayServer relay(Retry retry, URI... upstreams) {
        return relay(retry, new RetryBudget(1, 100), upstreams);
    }

    private static RelayServer relay(Retry retry, RetryBudget budget, URI... upstreams) {
        return RelayHarness.serve(config(budget, route -> route.with(r -> r.retry = retry), upstreams));
    }

    private static RelayConfig config(RetryBudget budget, UnaryOperator<Route> change, URI... urls) {
        var upstreams = new LinkedHashMap<String, Upstream>();
        for (URI url : urls) {
            String name = "u" + upstreams.size();
            upstreams.put(name, Upstream.of(name, url).with(u -> u.retryBudget = budget));
        }
        var targets = upstreams.keySet().stream().map(Route.Target::of).toList();
        return RelayConfig.relayTo(urls[0])
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1)
                .with(c -> c.routes = List.of())
                .with(c -> c.upstreams = upstreams)
                .with(c -> c.routes = List.of(change.apply(Route.of("r", Match.ALL, targets))));
    }
}
