package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A finish reason is not the end. Data after it, however late, belongs to the answer. */
@Tag("sockets")
@Tag("h2")
class LateEndTest {
    private static final String HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    /** Longer than what an upstream may do behind its terminal. */
    private static final int PAUSE_MS = 250;

    private static final Timeouts PATIENT = Timeouts.DEFAULT.with(t -> t.terminalGrace = Duration.ofSeconds(20));
    private static final Timeouts HASTY = Timeouts.DEFAULT.with(t -> t.terminalGrace = Duration.ofMillis(100));

    private static final String DONE = "data: [DONE]\n\n";
    private static final String USAGE =
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\n";

    static List<Arguments> answersThatGoOn() {
        String chat = Api.CHAT.path;
        return List.of(
                Arguments.of("a stop on every chunk", chat, chat("a", "stop"), chat("b", "stop") + DONE),
                Arguments.of("a stop on reasoning", chat, reasoning("hm", "stop"), chat("b", "stop") + DONE),
                Arguments.of("usage that comes late", chat, chat("a", "stop"), USAGE + DONE),
                Arguments.of(
                        "a call in two pieces",
                        chat,
                        call("{\\\"a\\\":", "tool_calls"),
                        call("1}", "tool_calls") + DONE),
                Arguments.of("one choice after the other", chat, choice(0, "a"), choice(1, "b") + DONE),
                Arguments.of("legacy completions", "/v1/completions", legacy("a"), legacy("b") + DONE),
                Arguments.of("Gemini", Api.GEMINI.path, gemini("a"), gemini("b")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("answersThatGoOn")
    void goesOnBehindAFinishReason(String name, String path, String first, String rest) throws IOException {
        try (var lines = new AccessLines();
                var upstream = pausing(first, rest);
                var relay = relay(upstream, null, PATIENT);
                var client = client(relay)) {
            client.post(path, "m", "\"n\":1,");
            RawClient.Response response = client.readAll();
            assertThat(response.text()).isEqualTo(first + rest);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            JsonNode line = lines.next();
            assertThat(line.get("outcome").asText()).isEqualTo("completed");
            assertThat(line.has("terminal")).isFalse();
            if (rest.contains("usage")) {
                assertThat(line.get("output_tokens").asInt()).isEqualTo(4);
                assertThat(line.get("usage").asText()).isEqualTo("exact");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "None", "undefined", ""})
    void takesWordsForNoFinishReasonAsNone(String word) throws IOException {
        try (var upstream = ScriptedUpstream.answering(HEAD + chunk(chat("a", word)) + "0\r\n\r\n");
                var relay = relay(upstream, null, PATIENT);
                var client = client(relay)) {
            client.post(Api.CHAT.path, "m", "");
            assertTruncated(client.readAll(), chat("a", word));
        }
    }

    @Test
    void takesAFinishReasonBackForOutputBehindIt() throws IOException {
        String sent = chat("a", "stop") + chat("b", null);
        try (var upstream = ScriptedUpstream.answering(HEAD + chunk(sent) + "0\r\n\r\n");
                var relay = relay(upstream, null, PATIENT);
                var client = client(relay)) {
            client.post(Api.CHAT.path, "m", "");
            assertTruncated(client.readAll(), sent);
        }
    }

    @Test
    void translatesWhatComesBehindAFinishReason() throws IOException {
        String rest = chat("b", "stop") + USAGE + DONE;
        try (var lines = new AccessLines();
                var upstream = pausing(chat("a", "stop"), rest);
                var relay = relay(upstream, Dialect.CHAT, PATIENT);
                var client = client(relay)) {
            ask(client, Api.MESSAGES);
            RawClient.Response response = client.readAll();
            Reading heard = Reading.ofFrames(Api.MESSAGES, response.frames());
            assertThat(heard.text()).isEqualTo("ab");
            assertThat(heard.stop()).isEqualTo("end");
            assertThat(response.text()).contains("\"output_tokens\":4");
            assertThat(lines.next().get("output_tokens").asInt()).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void endsCleanlyWhenNothingMoreComes(boolean translated) throws IOException {
        String sent = chat("a", "stop") + USAGE;
        try (var lines = new AccessLines();
                var upstream = staying(sent);
                var relay = relay(upstream, translated ? Dialect.CHAT : null, HASTY);
                var client = client(relay)) {
            ask(client, translated ? Api.MESSAGES : Api.CHAT);
            RawClient.Response response = client.readAll();
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            if (translated) {
                Reading heard = Reading.ofFrames(Api.MESSAGES, response.frames());
                assertThat(heard.stop()).isEqualTo("end");
                assertThat(heard.ended()).isTrue();
                assertThat(response.text()).contains("\"output_tokens\":4");
            } else {
                assertThat(response.text()).isEqualTo(sent);
            }
            JsonNode line = lines.next();
            assertThat(line.get("outcome").asText()).isEqualTo("completed");
            assertThat(line.get("terminal").asText()).isEqualTo("missing");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void answersOneBodyWhenNothingMoreComes(boolean translated) throws IOException {
        Api api = translated ? Api.MESSAGES : Api.CHAT;
        try (var lines = new AccessLines();
                var upstream = staying(chat("a", "stop") + USAGE);
                var relay = relay(upstream, translated ? Dialect.CHAT : null, HASTY);
                var client = client(relay)) {
            client.send("POST", api.path, TranslationBed.body(api, false));
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.text()).contains("\"a\"").contains("tokens\":4");
            assertThat(lines.next().get("terminal").asText()).isEqualTo("missing");
        }
    }

    @Test
    void doesNotEndWhileAChoiceThatWasAskedForIsMissing() throws IOException {
        try (var upstream = staying(choice(0, "a"));
                var relay = relay(upstream, null, HASTY.with(t -> t.idle = Duration.ofMillis(400)));
                var client = client(relay)) {
            client.post(Api.CHAT.path, "m", "\"n\":2,");
            RawClient.Response response = client.readAll();
            List<byte[]> frames = response.frames();
            String last = new String(frames.get(frames.size() - 1), java.nio.charset.StandardCharsets.UTF_8);
            assertThat(Api.CHAT.failureOf(last).code()).isEqualTo("upstream_idle");
        }
    }

    private static void ask(RawClient client, Api api) throws IOException {
        client.send("POST", api.path, TranslationBed.body(api, true));
    }

    private static void assertTruncated(RawClient.Response response, String sent) {
        assertThat(response.text()).startsWith(sent);
        Api.Failure failure = Api.CHAT.failureOf(response.text().substring(sent.length()));
        assertThat(failure.code()).isEqualTo("upstream_truncated");
    }

    /** Sends the rest once the relay has left it alone for a while. */
    private static ScriptedUpstream pausing(String first, String rest) throws IOException {
        return ScriptedUpstream.start(connection -> {
            connection.readRequest();
            connection.send(HEAD + chunk(first));
            connection.socket().setSoTimeout(PAUSE_MS);
            try {
                connection.read();
            } catch (SocketTimeoutException e) {
                connection.send(chunk(rest) + "0\r\n\r\n");
            }
        });
    }

    /** Sends it and says no more, until the relay closes. */
    private static ScriptedUpstream staying(String sent) throws IOException {
        return ScriptedUpstream.start(connection -> {
            connection.readRequest();
            connection.send(HEAD + chunk(sent));
            connection.read();
        });
    }

    private static RelayServer relay(ScriptedUpstream upstream, Dialect dialect, Timeouts timeouts) {
        List<Dialect> dialects = dialect == null ? List.of() : List.of(dialect);
        Upstream place = Upstream.of("u", upstream.uri()).with(u -> u.dialects = dialects);
        return RelayHarness.serve(RelayHarness.withTimeouts(
                RelayConfig.defaults()
                        .with(c -> c.upstreams = Map.of("u", place))
                        .with(c ->
                                c.routes = List.of(Route.of("r", Match.ALL, "u").with(r -> r.retry = Retry.OFF)))
                        .with(c -> c.accessLog = AccessLog.DEFAULT.with(log -> log.format = AccessLog.Format.JSON)),
                timeouts));
    }

    private static RawClient client(RelayServer relay) throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }

    private static String chat(String text, String finish) {
        return delta(0, "{\"content\":\"" + text + "\"}", finish);
    }

    private static String choice(int index, String text) {
        return delta(index, "{\"content\":\"" + text + "\"}", "stop");
    }

    private static String reasoning(String text, String finish) {
        return delta(0, "{\"reasoning_content\":\"" + text + "\"}", finish);
    }

    private static String call(String arguments, String finish) {
        String call = "{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"" + arguments + "\"}}";
        return delta(0, "{\"tool_calls\":[" + call + "]}", finish);
    }

    private static String delta(int index, String delta, String finish) {
        String reason = finish == null ? "null" : "\"" + finish + "\"";
        return "data: {\"model\":\"m\",\"choices\":[{\"index\":" + index + ",\"delta\":" + delta + ",\"finish_reason\":"
                + reason + "}]}\n\n";
    }

    private static String legacy(String text) {
        return "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\"" + text
                + "\",\"finish_reason\":\"stop\"}]}\n\n";
    }

    private static String gemini(String text) {
        return "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" + text
                + "\"}]},\"finishReason\":\"STOP\",\"index\":0}],\"modelVersion\":\"m\"}\r\n\r\n";
    }

    private static String chunk(String data) {
        return Integer.toHexString(data.length()) + "\r\n" + data + "\r\n";
    }
}
