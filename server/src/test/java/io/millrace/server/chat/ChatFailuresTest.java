package io.millrace.server.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.SocketException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Failed answers whose end looks complete, and answers in a form that was not asked for. */
@Tag("sockets")
@Tag("h2")
class ChatFailuresTest {
    private static final String HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    private static final String CHAT_TEXT =
            "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi. \"}}]}\n\n";
    private static final String GEMINI_TEXT =
            "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"Hi. \"}]}}]}\r\n\r\n";

    @ParameterizedTest
    @CsvSource({
        "CHAT, abort",
        "CHAT, error",
        "CHAT, insufficient_system_resource",
        "GEMINI, MALFORMED_FUNCTION_CALL",
    })
    void tellsThatAnAnswerFailedThoughItFinished(Dialect dialect, String reason) throws IOException {
        String stream = dialect == Dialect.CHAT
                ? CHAT_TEXT + finish(reason) + "data: [DONE]\n\n"
                : GEMINI_TEXT + "data: {\"candidates\":[{\"finishReason\":\"" + reason + "\"}]}\r\n\r\n";
        assertFails(dialect, stream);
    }

    @Test
    void tellsThatAnAnswerCannotBeReadThoughItFinished() throws IOException {
        String garbled =
                "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],,}\n\n";
        assertFails(Dialect.CHAT, CHAT_TEXT + garbled);
    }

    @Test
    void asksOnceThoughTheFirstFrameCannotBeRead() throws IOException {
        String first = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}],,}\n\n";
        try (var upstream = ScriptedUpstream.answeringAndClosing(HEAD + first + finish("stop") + "data: [DONE]\n\n");
                var relay = relay(upstream, Dialect.CHAT)) {
            RawClient.Response answer = ask(relay, "\"format\":\"sse\"");
            assertThat(answer.header("x-millrace-attempts")).isEqualTo("1");
            assertThat(answer.text()).startsWith("event: error").doesNotContain("[DONE]");
        }
    }

    @Test
    void writesOneObjectOfAStreamThatWasNotAskedFor() throws IOException {
        String stream = CHAT_TEXT + CHAT_TEXT + finish("stop") + "data: [DONE]\n\n";
        try (var upstream = ScriptedUpstream.answeringAndClosing(HEAD + stream);
                var relay = relay(upstream, Dialect.CHAT)) {
            RawClient.Response answer = ask(relay, "\"stream\":false");
            assertThat(answer.header("content-type")).isEqualTo("application/json");
            JsonNode json = new ObjectMapper().readTree(answer.body());
            assertThat(json.path("text").asText()).isEqualTo("Hi. Hi. ");
            assertThat(json.path("reason").asText()).isEqualTo("stop");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"abort", ""})
    void breaksOffAnObjectWhoseStreamFails(String reason) throws IOException {
        String end = reason.isEmpty() ? "" : finish(reason);
        try (var upstream = ScriptedUpstream.answeringAndClosing(HEAD + CHAT_TEXT + end);
                var relay = relay(upstream, Dialect.CHAT)) {
            assertBreaksOff(relay, "\"stream\":false");
        }
    }

    private static void assertFails(Dialect dialect, String stream) throws IOException {
        try (var upstream = ScriptedUpstream.answeringAndClosing(HEAD + stream);
                var relay = relay(upstream, dialect)) {
            assertBreaksOff(relay, "\"format\":\"text\"");
            RawClient.Response events = ask(relay, "\"format\":\"sse\"");
            assertThat(events.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(events.text()).contains("event: error\n").doesNotContain("[DONE]");
            await().until(() -> relay.metrics().activeExchanges() == 0);
            assertThat(relay.metrics().exchanges("upstream_error")).isEqualTo(2);
            assertThat(relay.metrics().exchanges("completed")).isZero();
        }
    }

    /** A reset may overtake the head. */
    private static void assertBreaksOff(RelayServer relay, String fields) throws IOException {
        try {
            assertThat(ask(relay, fields).end()).isIn(RawClient.End.RESET, RawClient.End.TRUNCATED);
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    private static String finish(String reason) {
        return "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" + reason + "\"}]}\n\n";
    }

    private static RelayServer relay(ScriptedUpstream upstream, Dialect dialect) {
        RelayConfig config = RelayConfig.relayTo(upstream.uri())
                .with(c -> c.upstreams = Map.of(
                        "default", Upstream.of("default", upstream.uri()).with(u -> u.dialects = List.of(dialect))));
        return RelayHarness.serve(
                RelayHarness.withRetry(config, RelayHarness.QUICK).with(c -> c.accessLog = AccessLog.OFF));
    }

    private static RawClient.Response ask(RelayServer relay, String fields) throws IOException {
        try (var client = new RawClient(relay.addresses().get(0).getPort())) {
            client.send(
                    "POST",
                    "/chat",
                    "{\"prompt\":\"a\",\"model\":\"m\"," + fields + "}",
                    "Content-Type: application/json");
            return client.readAll();
        }
    }
}
