package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.memory.Held;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams that come compressed although nobody asked for it, and grow when they are inflated. */
@Tag("sockets")
@Tag("h2")
class CodedStreamTest {
    private static final String HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n";
    private static final int FRAMES = 150_000;

    /** What a stalled client may make the relay hold, whatever a read grows to: both watermarks and a step or two. */
    private static final int MOST_HELD = 1 << 20;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void holdsNoMoreThanAClientTakesAndLosesNothing(boolean byLength) throws IOException {
        byte[] answer = answer(FRAMES);
        byte[] coded = gzip(answer);
        assertThat(answer.length / coded.length).isGreaterThan(10);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    String framing = byLength ? "Content-Length: " + coded.length + "\r\n" : "";
                    connection.send(HEAD + framing + "\r\n");
                    connection.socket().getOutputStream().write(coded);
                });
                var harness = to(upstream);
                var client = harness.client()) {
            client.post(Api.CHAT.path, "m", "");
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) > 32 * 1024);
            await().during(Duration.ofMillis(200))
                    .until(() -> harness.relay.metrics().held(Held.CLIENTS) < MOST_HELD);
            RawClient.Response response = client.readAll();
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(response.body()).isEqualTo(answer);
            assertThat(harness.relay.metrics().exchanges("completed")).isEqualTo(1);
            await().until(() -> harness.relay.metrics().held(Held.INFLATING) == 0
                    && harness.relay.metrics().held(Held.CLIENTS) == 0);
        }
    }

    @Test
    void cutsAStreamThatGrowsMoreThanTextDoes() throws IOException {
        byte[] bomb = gzip((":" + " ".repeat(40 << 20)).getBytes(StandardCharsets.US_ASCII));
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(HEAD + "Content-Length: " + bomb.length + "\r\n\r\n");
                    connection.socket().getOutputStream().write(bomb);
                    connection.read();
                });
                var harness = to(upstream);
                var client = harness.client()) {
            client.post(Api.CHAT.path, "m", "");
            assertThat(client.readAll().body().length).isLessThan(2 << 20);
            await().until(() -> harness.relay.metrics().exchanges("completed") == 0
                    && harness.relay.metrics().activeExchanges() == 0);
        }
    }

    @Test
    void usesTheConnectionAgainThoughSomeBehindTheTerminalWasNotInflated() throws IOException {
        String frame = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + "a".repeat(20_000) + "\"}}]}\n\n";
        var junk = new byte[900];
        new Random(7).nextBytes(junk);
        String text =
                frame.repeat(5) + "data: [DONE]\n\n: " + Base64.getEncoder().encodeToString(junk) + "\n\n";
        byte[] coded = gzip(text.getBytes(StandardCharsets.US_ASCII));
        String answer =
                HEAD + "Content-Length: " + coded.length + "\r\n\r\n" + new String(coded, StandardCharsets.ISO_8859_1);
        // All of it is in the first read, and the client is full before all of it is inflated.
        assertThat(answer.length()).isLessThan(2048);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    while (connection.readRequest() != null) {
                        connection.send(answer);
                    }
                });
                var harness = to(upstream);
                var client = harness.client()) {
            for (int i = 0; i < 3; i++) {
                client.post(Api.CHAT.path, "m", "");
                RawClient.Response response = client.readAll();
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.text()).endsWith("data: [DONE]\n\n");
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    /** Where the compressed data ends too early, be it only its check sum that is missing, the body is not whole. */
    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, text/event-stream, length",
        "/v1/chat/completions, text/event-stream, chunked",
        "/v1/chat/completions, text/event-stream, close",
        "/events, text/event-stream, length",
        "/events, text/event-stream, chunked",
        "/events, text/event-stream, close",
    })
    void noticesACompressedBodyThatIsCut(String path, String type, String framing) throws IOException {
        String text =
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n";
        byte[] whole = gzip(text.getBytes(StandardCharsets.US_ASCII));
        for (int missing : new int[] {0, 1, 8, 20}) {
            String answer = answer(type, framing, Arrays.copyOf(whole, whole.length - missing));
            try (var upstream = ScriptedUpstream.answeringAndClosing(answer);
                    var harness = to(upstream);
                    var client = harness.client()) {
                client.post(path, "m", "");
                assertThat(getsWhole(client, text)).as("%s missing", missing).isEqualTo(missing == 0);
                await().until(() -> harness.relay.metrics().activeExchanges() == 0);
                assertThat(harness.relay.metrics().exchanges("completed")).isEqualTo(missing == 0 ? 1 : 0);
            }
        }
    }

    private static boolean getsWhole(RawClient client, String text) throws IOException {
        try {
            RawClient.Response response = client.readAll();
            return response.status() == 200
                    && response.end() == RawClient.End.COMPLETE
                    && response.text().equals(text);
        } catch (SocketException e) {
            return false; // reset before the head was read
        }
    }

    /** An answer that is translated is inflated too, and so is a stream of events that comes under another type. */
    @ParameterizedTest
    @ValueSource(strings = {"length", "chunked", "close"})
    void noticesACutStreamOfAnotherType(String framing) throws IOException {
        String text =
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n";
        byte[] whole = gzip(text.getBytes(StandardCharsets.US_ASCII));
        for (int missing : new int[] {0, 1, 8}) {
            String answer = answer("text/plain", framing, Arrays.copyOf(whole, whole.length - missing));
            try (var upstream = ScriptedUpstream.answeringAndClosing(answer);
                    var harness = to(upstream, u -> u.dialects = List.of(Dialect.CHAT));
                    var client = harness.client()) {
                client.post(Api.MESSAGES.path, "m", "\"max_tokens\":9,");
                assertThat(client.readAll().text().contains("message_stop")).isEqualTo(missing == 0);
                await().until(() -> harness.relay.metrics().activeExchanges() == 0);
                assertThat(harness.relay.metrics().exchanges("completed")).isEqualTo(missing == 0 ? 1 : 0);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"length", "chunked", "close"})
    void noticesACutBodyThatIsReadHere(String framing) throws IOException {
        String text = "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\"},"
                + "\"finish_reason\":\"stop\"}]}";
        byte[] whole = gzip(text.getBytes(StandardCharsets.US_ASCII));
        for (int missing : new int[] {0, 1, 8}) {
            String answer = answer("application/json", framing, Arrays.copyOf(whole, whole.length - missing));
            try (var upstream = ScriptedUpstream.answeringAndClosing(answer);
                    var harness = to(upstream, u -> u.dialects = List.of(Dialect.CHAT));
                    var client = harness.client()) {
                client.send("POST", Api.MESSAGES.path, "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[]}");
                RawClient.Response response = client.readAll();
                assertThat(response.status()).as(response.text()).isEqualTo(missing == 0 ? 200 : 502);
                assertThat(response.text().contains("the compressed body ends too early"))
                        .isEqualTo(missing != 0);
            }
        }
    }

    private static String answer(String type, String framing, byte[] body) {
        String bytes = new String(body, StandardCharsets.ISO_8859_1);
        String head = "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Encoding: gzip\r\n";
        return switch (framing) {
            case "length" -> head + "Content-Length: " + body.length + "\r\n\r\n" + bytes;
            case "chunked" ->
                head + "Transfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(body.length) + "\r\n" + bytes
                        + "\r\n0\r\n\r\n";
            default -> head + "\r\n" + bytes;
        };
    }

    private static RelayHarness to(ScriptedUpstream upstream) {
        return to(upstream, ignored -> {});
    }

    private static RelayHarness to(ScriptedUpstream upstream, Consumer<Upstream.Builder> change) {
        RelayConfig config = RelayConfig.relayTo(
                        Upstream.of("up", upstream.uri()).with(change))
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1);
        return RelayHarness.start(
                MockConfig.defaults(),
                ignored -> RelayHarness.withRetry(config, Retry.DEFAULT.with(r -> r.attempts = 1)));
    }

    private static byte[] answer(int frames) {
        var random = new Random(3);
        var text = new StringBuilder();
        for (int i = 0; i < frames; i++) {
            text.append("data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",")
                    .append("\"choices\":[{\"index\":0,\"delta\":{\"content\":\"")
                    .append(random.nextInt(100))
                    .append("\"},\"finish_reason\":null}]}\n\n");
        }
        return text.append("data: [DONE]\n\n").toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }
}
