package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.Health;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams of unknown protocols, JSON that is streamed, and answers that fail before anything was sent. */
@Tag("sockets")
@Tag("h2")
class UnknownAnswersTest {
    private static final String SSE =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final Duration SHORT = Duration.ofMillis(100);

    @Test
    void givesTheHeadOfASilentStreamAtOnce() throws IOException {
        var headSeen = new CountDownLatch(1);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(SSE);
                    waitFor(headSeen);
                    connection.send(chunk("data: x\n\n") + "0\r\n\r\n");
                });
                var relay = relay(upstream, Timeouts.DEFAULT);
                var client = client(relay)) {
            client.send("GET", "/mcp", "", "Accept: text/event-stream");
            String head = client.readHead();
            assertThat(head).startsWith("HTTP/1.1 200").contains("text/event-stream");
            headSeen.countDown();
            assertThat(client.readBody(head).text()).isEqualTo("data: x\n\n");
        }
    }

    @Test
    void waitsForASilentStreamWithoutLimitAndBlamesNobody() throws IOException {
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(SSE + chunk("data: x\n\n"));
                    connection.socket().setSoTimeout(500);
                    try {
                        connection.read();
                    } catch (SocketTimeoutException e) {
                        connection.send(chunk("data: y\n\n"));
                        connection.reset();
                    }
                });
                var relay = relay(
                        upstream,
                        Timeouts.DEFAULT
                                .with(t -> t.idle = SHORT)
                                .with(t -> t.progress = SHORT)
                                .with(t -> t.ttft = SHORT))) {
            for (int i = 1; i <= 3; i++) {
                try (var client = client(relay)) {
                    client.send("GET", "/mcp", "");
                    RawClient.Response response = client.readAll();
                    assertThat(response.text()).isEqualTo("data: x\n\ndata: y\n\n");
                    assertThat(response.end()).isIn(RawClient.End.RESET, RawClient.End.TRUNCATED);
                    assertThat(upstream.connections()).isEqualTo(i);
                }
            }
        }
    }

    @Test
    void letsJsonThatStreamsGoAsItComes() throws IOException {
        var seen = new CountDownLatch(1);
        String first = "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}";
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(SSE.replace("text/event-stream", "application/json") + chunk(first));
                    waitFor(seen);
                    connection.send(chunk(",{}]") + "0\r\n\r\n");
                });
                var relay = relay(upstream, Timeouts.DEFAULT);
                var client = client(relay)) {
            client.send("POST", "/v1beta/models/m:streamGenerateContent", TranslationBed.body(Api.GEMINI, true));
            client.readHead();
            assertThat(client.readUntil("}]}}]}")).endsWith(first);
            seen.countDown();
            assertThat(client.readUntil(",{}]")).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embeddings", "/v1/chat/completions", "/v1/messages"})
    void answersWith502WhereNothingWasSentYet(String path) throws IOException {
        String bad = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        try (var upstream = ScriptedUpstream.answeringAndClosing(bad);
                var relay = relay(upstream, Timeouts.DEFAULT);
                var client = client(relay)) {
            client.send("POST", path, "{\"model\":\"m\"}");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(502);
            assertThat(response.text()).contains("\"error\"");
            assertThat(upstream.requests()).hasSize(path.endsWith("embeddings") ? 1 : 3);
        }
    }

    /** A frame too long to hold that lacks only its blank line when the body ends cleanly. */
    @ParameterizedTest
    @EnumSource(names = {"RESPONSES", "GEMINI"})
    void endsWithALongLastFrameThatLacksItsBlankLine(Api api) throws IOException {
        String text = "x".repeat(200_000);
        String frame = api == Api.GEMINI
                ? "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" + text
                        + "\"}]},\"finishReason\":\"STOP\"}]}"
                : "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"output\":[\""
                        + text + "\"],\"status\":\"completed\"}}\n";
        try (var upstream = ScriptedUpstream.answeringAndClosing(SSE + chunk(frame) + "0\r\n\r\n");
                var relay = relay(upstream, Timeouts.DEFAULT);
                var client = client(relay)) {
            client.post(api.path, "m", "");
            RawClient.Response response = client.readAll();
            assertThat(response.text()).isEqualTo(frame);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            await().until(() -> relay.metrics().exchanges("completed") == 1);
        }
    }

    @Test
    void endsAnUnknownStreamInTheMiddleOfALongFrame() throws IOException {
        String frame = "data: " + "x".repeat(200_000);
        try (var upstream = ScriptedUpstream.answeringAndClosing(SSE + chunk(frame) + "0\r\n\r\n");
                var relay = relay(upstream, Timeouts.DEFAULT);
                var client = client(relay)) {
            client.send("GET", "/mcp", "");
            RawClient.Response response = client.readAll();
            assertThat(response.text()).isEqualTo(frame);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        }
    }

    private static RelayServer relay(ScriptedUpstream upstream, Timeouts timeouts) {
        Upstream place = Upstream.of("u", upstream.uri())
                .with(u -> u.health = Health.DEFAULT.with(h -> h.consecutiveFailures = 2));
        return RelayHarness.serve(RelayHarness.withTimeouts(
                RelayConfig.defaults()
                        .with(c -> c.upstreams = Map.of("u", place))
                        .with(c -> c.routes =
                                List.of(Route.of("r", Match.ALL, "u").with(r -> r.retry = RelayHarness.QUICK)))
                        .with(c -> c.accessLog = AccessLog.OFF),
                timeouts));
    }

    private static RawClient client(RelayServer relay) throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String chunk(String data) {
        return Integer.toHexString(data.length()) + "\r\n" + data + "\r\n";
    }
}
