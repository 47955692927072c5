package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.RelayServer;
import io.millrace.server.config.AccessLog;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Heartbeat;
import io.millrace.server.config.Hedge;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Retry;
import io.millrace.server.config.Route;
import io.millrace.server.config.Secret;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Upstreams that answer at an awkward moment, or half. */
class AttemptEdgesTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final Retry QUICK =
            Retry.DEFAULT.withBase(Duration.ofMillis(5)).withCap(Duration.ofMillis(20));
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
                var relay = RelayServer.start(
                        config(Upstream.of("u", upstream.uri()).withCredential(credential), QUICK, null)
                                .withAllowOpen(true)
                                .withHeartbeat(Heartbeat.DEFAULT
                                        .withInterval(Duration.ofMillis(30))
                                        .withEarly(true)));
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
                    connection.send(CHUNKED);
                    if (connection.read() < 0) {
                        letGo.countDown();
                    }
                });
                var empty = ScriptedUpstream.answering(CHUNKED + "0\r\n\r\n");
                var relay = relay(List.of(slow.uri(), empty.uri()), Retry.OFF, new Hedge(Duration.ofMillis(30), 1))) {
            while (slow.connections() == 0) {
                RawClient.Response response = ask(relay, "/mcp", "");
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
                var relay = RelayServer.start(config(Upstream.of("u", upstream.uri()), Retry.OFF, null)
                        .withTimeouts(Timeouts.DEFAULT.withTerminalGrace(Duration.ofMillis(20))));
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
                var relay = RelayServer.start(config(Upstream.of("u", upstream.uri()), Retry.OFF, null)
                        .withTimeouts(Timeouts.DEFAULT.withTtft(Duration.ofSeconds(3))));
                var client = new RawClient(port(relay))) {
            client.post(CHAT, "m", "");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200");
        }
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
        return RelayServer.start(config(Upstream.of("u", origins), retry, hedge));
    }

    private static RelayConfig config(Upstream upstream, Retry retry, Hedge hedge) {
        Route route = Route.of("r", Match.ALL, "u").withRetry(retry);
        return RelayConfig.relayTo(upstream.url())
                .withAccessLog(AccessLog.OFF)
                .withEventLoops(1)
                .withRoutes(List.of())
                .withUpstreams(Map.of("u", upstream))
                .withRoutes(List.of(hedge == null ? route : route.withHedge(hedge)));
    }

    private static RawClient.Response ask(RelayServer relay, String path, String fields) throws IOException {
        try (var client = new RawClient(port(relay))) {
            client.post(path, "m", fields);
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
