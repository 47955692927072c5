package io.millrace.server.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.sse.SseEvent;
import io.millrace.codec.text.TextUnit;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.Events;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("sockets")
@Tag("h2")
class ChatEndpointTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TYPE_JSON = "Content-Type: application/json";
    private static final String TYPE_FORM = "Content-Type: application/x-www-form-urlencoded";

    private RelayHarness shared;

    @BeforeAll
    void start() {
        shared = RelayHarness.start(speaking(Dialect.CHAT));
    }

    @AfterAll
    void stop() {
        shared.close();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
    void givesTheSameTextInEveryFormOfEveryUpstream(Dialect dialect) throws IOException {
        try (var harness = RelayHarness.start(speaking(dialect));
                var client = harness.client()) {
            JsonNode whole = JSON.readTree(
                    post(client, prompt("mock:tokens=40,reasoning=3", "")).body());
            String expected = textOf(harness);
            assertThat(whole.get("text").asText()).isEqualTo(expected).hasSizeGreaterThan(100);
            assertThat(whole.get("reason").asText()).isEqualTo("stop");
            assertThat(whole.at("/usage/output_tokens").asInt()).isPositive();
            for (TextUnit unit : TextUnit.values()) {
                String chunk = ",\"chunk\":\"" + unit + "\"";
                assertThat(sse(client, prompt("mock:tokens=40,reasoning=3", chunk + ",\"format\":\"sse\"")))
                        .as("sse by %s", unit)
                        .isEqualTo(expected);
                assertThat(json(client, prompt("mock:tokens=40,reasoning=3", chunk + ",\"format\":\"json\"")))
                        .as("json by %s", unit)
                        .isEqualTo(expected);
            }
            RawClient.Response text = post(client, prompt("mock:tokens=40,reasoning=3", ",\"format\":\"text\""));
            assertThat(text.header("content-type")).isEqualTo("text/plain; charset=utf-8");
            assertThat(text.text()).isEqualTo(expected);
        }
    }

    @Test
    void sendsTextBeforeTheUpstreamHasEnded() throws IOException {
        try (var client = shared.client()) {
            client.send("POST", "/chat", prompt("mock:tokens=9,stall_after=4", ",\"format\":\"text\""), TYPE_JSON);
            assertThat(client.readHead()).contains("200 OK");
            int length = Integer.parseInt(client.readLine(), 16); // of a chunk or a DATA frame
            assertThat(length).isPositive();
        }
    }

    @Test
    void tellsReasonUsageAndTimesInJson() throws IOException {
        try (var client = shared.client()) {
            List<SseEvent> events =
                    Events.of(post(client, prompt("mock:tokens=20", ",\"format\":\"json\",\"max_tokens\":4"))
                            .text());
            assertThat(events).extracting(SseEvent::type).endsWith("delta", "usage", "stop");
            JsonNode first = JSON.readTree(events.get(0).data());
            assertThat(first.get("index").asInt()).isZero();
            assertThat(first.get("ttft_ms").asLong()).isBetween(0L, 60_000L);
            JsonNode stop = JSON.readTree(events.get(events.size() - 1).data());
            assertThat(stop.get("reason").asText()).isEqualTo("stop");
            assertThat(stop.get("model").asText()).isEqualTo("mock:tokens=20");
            assertThat(JSON.readTree(events.get(events.size() - 2).data())
                            .get("input_tokens")
                            .asInt())
                    .isPositive();
        }
    }

    @Test
    void takesThePromptFromJsonFormsAndQueries() throws IOException {
        String words = "Grüße & more; 1+1";
        String encoded = URLEncoder.encode(words, StandardCharsets.UTF_8);
        String part = "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\n" + words + "\r\n--b--\r\n";
        try (var client = shared.client()) {
            client.send("POST", "/chat", "{\"prompt\":\"" + words + "\",\"model\":\"m\"}", TYPE_JSON);
            assertAsked(client, words);
            client.send("POST", "/chat", "model=m&prompt=" + encoded, TYPE_FORM);
            assertAsked(client, words);
            client.send("POST", "/chat?model=m", part, "Content-Type: multipart/form-data; boundary=b");
            assertAsked(client, words);
            client.send("POST", "/chat?model=m&prompt=" + encoded, "");
            assertAsked(client, words);
            client.send("GET", "/chat?model=m&prompt=" + encoded, "");
            assertAsked(client, words);
        }
    }

    @Test
    void sendsTheWholeConversationOn() throws IOException {
        try (var client = shared.client()) {
            client.send(
                    "POST",
                    "/chat",
                    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},"
                            + "{\"role\":\"user\",\"content\":\"c\"}],\"system\":\"S\",\"model\":\"m\",\"temperature\":0.5}",
                    TYPE_JSON);
            assertThat(client.readAll().status()).isEqualTo(200);
            JsonNode asked = lastRequest(shared);
            assertThat(asked.get("stream").asBoolean()).isTrue();
            assertThat(asked.get("temperature").asDouble()).isEqualTo(0.5);
            var turns = new ArrayList<String>();
            asked.get("messages")
                    .forEach(turn -> turns.add(turn.get("role").asText() + " "
                            + turn.get("content").asText()));
            assertThat(turns).containsExactly("system S", "user a", "assistant b", "user c");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /chat, application/json, '{\"prompt\":\"a\",\"max_tokens\":\"x\"}', 400, max_tokens",
        "POST, /chat, application/json, '{', 400, null",
        "POST, /chat, text/plain, 'Hi', 415, null",
        "POST, /chat?prompt=a, application/json, '{\"prompt\":\"a\"}', 400, prompt",
        "POST, /chat, application/json, '{\"prompt\":\"a\"}', 400, model",
        "GET, /chat, '', '', 400, prompt",
        "GET, /chat?prompt=a&chunk=line, '', '', 400, chunk",
        "PUT, /chat, application/json, '{\"prompt\":\"a\"}', 405, null",
        "HEAD, /chat?prompt=a, '', '', 405, null",
    })
    void refusesWhatIsWrongAndAsksNobody(
            String method, String target, String type, String body, int status, String param) throws IOException {
        try (var harness = RelayHarness.start(speaking(Dialect.CHAT));
                var client = harness.client()) {
            if (body.isEmpty()) {
                client.sendRaw(method + " " + target + " HTTP/1.1\r\nHost: mock\r\n\r\n");
            } else {
                client.send(method, target, body, "Content-Type: " + type);
            }
            String head = client.readHead();
            assertThat(head).startsWith("HTTP/1.1 " + status + " ");
            if (!method.equals("HEAD")) {
                JsonNode error = JSON.readTree(client.readBody(head).body()).get("error");
                assertThat(error.get("param").asText("null")).isEqualTo(param);
                assertThat(error.get("message").asText()).isNotEmpty();
            }
            if (status == 405) {
                assertThat(RawClient.header(head, "allow")).isEqualTo("GET, POST, OPTIONS");
            }
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @Test
    void asksForTheConfiguredModelWhereNoneIsNamed() throws IOException {
        UnaryOperator<RelayConfig> withModel =
                config -> upstream(speaking(Dialect.MESSAGES).apply(config), u -> u.with(up -> up.model = "usual"));
        try (var harness = RelayHarness.start(withModel);
                var client = harness.client()) {
            client.send("POST", "/chat", "prompt=a", TYPE_FORM);
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(lastRequest(harness).get("model").asText()).isEqualTo("usual");
            client.send("POST", "/chat", "prompt=a&model=other", TYPE_FORM);
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(lastRequest(harness).get("model").asText()).isEqualTo("other");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
    void answersAnErrorBeforeTheFirstTextWithItsStatus(Dialect dialect) throws IOException {
        try (var harness = RelayHarness.start(speaking(dialect));
                var client = harness.client()) {
            RawClient.Response answer = post(client, prompt("mock:status=401", ",\"format\":\"sse\""));
            assertThat(answer.status()).isEqualTo(401);
            assertThat(answer.header("content-type")).isEqualTo("application/json");
            assertThat(JSON.readTree(answer.body()).at("/error/message").asText())
                    .isNotEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
    void endsAnAnswerThatBreaksWithAnErrorEvent(Dialect dialect) throws IOException {
        try (var harness = RelayHarness.start(speaking(dialect))) {
            for (String fault : List.of("reset_after=5", "eof_after=5", "error_after=5", "hidden_error_after=5")) {
                for (String format : List.of("sse", "json")) {
                    try (var client = harness.client()) {
                        RawClient.Response answer = post(
                                client,
                                prompt(
                                        "mock:tokens=20," + fault,
                                        ",\"format\":\"" + format + "\",\"chunk\":\"sentence\""));
                        List<SseEvent> events = Events.of(answer.text());
                        SseEvent last = events.get(events.size() - 1);
                        assertThat(last.type())
                                .as("%s %s", fault, answer.text())
                                .isEqualTo("error");
                        assertThat(JSON.readTree(last.data())
                                        .at("/error/message")
                                        .asText())
                                .isNotEmpty();
                        assertThat(events.subList(0, events.size() - 1))
                                .isNotEmpty()
                                .noneMatch(event -> event.type().equals("stop")
                                        || event.type().equals("error")
                                        || event.data().equals(ChatStream.DONE));
                        assertThat(answer.end()).isEqualTo(RawClient.End.COMPLETE);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reset_after=5", "eof_after=5", "error_after=5", "hidden_error_after=5"})
    void breaksOffBareTextThatFails(String fault) throws IOException {
        try (var client = shared.client()) {
            RawClient.Response answer =
                    post(client, prompt("mock:tokens=20,gap_ms=5," + fault, ",\"format\":\"text\""));
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.end()).isIn(RawClient.End.RESET, RawClient.End.TRUNCATED);
            assertThat(answer.text()).doesNotContain("error", "{");
        }
    }

    @Test
    void triesAgainBeforeTheFirstText() throws IOException {
        try (var client = shared.client()) {
            RawClient.Response answer =
                    post(client, prompt("mock:tokens=3,status=503,fail_first=1,group=again", ",\"format\":\"sse\""));
            assertThat(answer.header("x-millrace-attempts")).isEqualTo("2");
            assertThat(answer.text()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void givesAnEventSourceIdsAnIntervalAndAnEndThatSaysSo() throws IOException {
        try (var client = shared.client()) {
            client.send("GET", "/chat?prompt=a&model=mock:tokens%3D6", "", "Accept: text/event-stream");
            RawClient.Response answer = client.readAll();
            assertThat(answer.header("content-type")).isEqualTo("text/event-stream; charset=utf-8");
            assertThat(answer.header("cache-control")).isEqualTo("no-cache, no-transform");
            assertThat(answer.text()).startsWith("retry: 1000\nid: 1\ndata: ");
            List<SseEvent> events = Events.of(answer.text());
            for (int i = 0; i < events.size(); i++) {
                assertThat(events.get(i).lastEventId()).isEqualTo(String.valueOf(i + 1));
            }
            assertThat(events.get(events.size() - 2).type()).isEqualTo("done");
            assertThat(events.get(events.size() - 1).data()).isEqualTo(ChatStream.DONE);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "POST"})
    void startsNothingForWhoConnectsAgain(String method) throws IOException {
        try (var harness = RelayHarness.start(speaking(Dialect.CHAT));
                var client = harness.client()) {
            client.sendRaw(method + " /chat?prompt=a&model=m HTTP/1.1\r\nHost: mock\r\nLast-Event-ID: 3\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 204 ");
            client.send("GET", "/healthz", "");
            assertThat(client.readAll().text()).isEqualTo("ok\n");
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @Test
    void endsAStreamThatItsClientStops() throws IOException {
        try (var client = shared.client();
                var other = shared.client()) {
            client.send("POST", "/chat", prompt("mock:tokens=500,gap_ms=20", ",\"format\":\"json\""), TYPE_JSON);
            String head = client.readHead();
            client.readUntil("\"index\":2");
            other.send("DELETE", "/millrace/streams/" + RawClient.header(head, "x-millrace-stream"), "");
            assertThat(other.readHead()).startsWith("HTTP/1.1 204 ");
            assertThat(client.readUntil("\r\n0\r\n\r\n")).contains("event: stop\ndata: {\"reason\":\"stopped\"");
        }
    }

    @Test
    void cancelsTheUpstreamWhenTheClientLeaves() throws IOException {
        try (var harness = RelayHarness.start(speaking(Dialect.MESSAGES));
                var client = harness.client()) {
            client.send("POST", "/chat", prompt("mock:tokens=500,gap_ms=20", ",\"format\":\"text\""), TYPE_JSON);
            client.readHead();
            client.socket().close();
            await().untilAsserted(() ->
                    assertThat(harness.mock.stats().streamsAborted()).isEqualTo(1));
        }
    }

    @Test
    void sendsWhatWaitsTooLongForTheEndOfItsUnit() throws IOException {
        try (var client = shared.client()) {
            client.send(
                    "POST",
                    "/chat",
                    prompt("mock:tokens=20,stall_after=3", ",\"format\":\"json\",\"chunk\":\"word\""),
                    TYPE_JSON);
            client.readHead();
            assertThat(client.readUntil("said:\"}")).contains("\"index\":0,\"text\":\"You \"");
        }
    }

    @Test
    void beatsBetweenEventsButNotInBareText() throws IOException {
        UnaryOperator<RelayConfig> beating = config -> RelayHarness.withHeartbeat(
                speaking(Dialect.CHAT).apply(config), Heartbeat.DEFAULT.with(h -> h.interval = Duration.ofMillis(30)));
        try (var harness = RelayHarness.start(beating);
                var client = harness.client()) {
            client.send("POST", "/chat", prompt("mock:tokens=9,stall_after=3", ",\"format\":\"sse\""), TYPE_JSON);
            client.readUntil(": ping\n\n");
        }
        try (var harness = RelayHarness.start(beating);
                var client = harness.client()) {
            String text = post(client, prompt("mock:tokens=4,gap_ms=200", ",\"format\":\"text\""))
                    .text();
            assertThat(text).isNotEmpty().doesNotContain("ping");
        }
    }

    @Test
    void saysWhichMethodsThereAre() throws IOException {
        try (var client = shared.client()) {
            client.send("OPTIONS", "/chat", "");
            String head = client.readHead();
            assertThat(head).startsWith("HTTP/1.1 204 ");
            assertThat(RawClient.header(head, "allow")).isEqualTo("GET, POST, OPTIONS");
        }
    }

    @Test
    void isRelayedLikeAnyPathWhereItIsSwitchedOff() throws IOException {
        try (var harness = RelayHarness.start(
                        config -> config.with(c -> c.ownPaths = OwnPaths.ALL.with(o -> o.chat = false)));
                var client = harness.client()) {
            client.send("GET", "/chat?prompt=a", "");
            assertThat(client.readAll().status()).isEqualTo(404);
            assertThat(harness.mock.requests()).hasSize(1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET, 'Origin: https://evil.example', 403",
        "POST, 'Origin: https://evil.example', 403",
        "GET, 'Sec-Fetch-Site: cross-site', 403",
        "GET, 'Sec-Fetch-Site: same-site', 403",
        "GET, 'Sec-Fetch-Site: same-origin', 200",
        "GET, 'Sec-Fetch-Site: none', 200",
        "GET, 'Accept: text/event-stream', 200",
        "POST, 'Origin: http://localhost', 200",
        "GET, 'User-Agent: Mozilla/5.0', 403",
        "GET, 'User-Agent: curl/8.5.0', 200",
        "POST, 'User-Agent: Mozilla/5.0', 200",
    })
    void keepsTheRelaysKeysFromForeignPages(String method, String header, int status) throws IOException {
        UnaryOperator<RelayConfig> injecting = config -> upstream(
                speaking(Dialect.CHAT).apply(config),
                u -> u.with(up -> up.credential =
                        new Credential("authorization", "Bearer ", Secret.of("sk-1234567890", "test"))));
        try (var harness = RelayHarness.start(injecting);
                var client = harness.client()) {
            client.sendRaw(method + " /chat?prompt=a&model=m HTTP/1.1\r\nHost: localhost\r\n" + header
                    + "\r\nContent-Length: 0\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(status);
            assertThat(harness.mock.requests()).hasSize(status == 200 ? 1 : 0);
        }
    }

    private static UnaryOperator<RelayConfig> speaking(Dialect dialect) {
        return config -> upstream(config, upstream -> upstream.with(up -> up.dialects = List.of(dialect)));
    }

    private static RelayConfig upstream(RelayConfig config, UnaryOperator<Upstream> change) {
        Upstream upstream = config.upstreams().get("default");
        return config.with(c -> c.upstreams = Map.of("default", change.apply(upstream)));
    }

    private static String prompt(String model, String fields) {
        return "{\"prompt\":\"Tell me about rivers.\",\"model\":\"" + model + "\"" + fields + "}";
    }

    private static RawClient.Response post(RawClient client, String body) throws IOException {
        client.send("POST", "/chat", body, TYPE_JSON, "Accept: application/json");
        return client.readAll();
    }

    private static String sse(RawClient client, String body) throws IOException {
        RawClient.Response answer = post(client, body);
        assertThat(answer.header("content-type")).isEqualTo("text/event-stream; charset=utf-8");
        List<SseEvent> events = Events.of(answer.text());
        assertThat(events.remove(events.size() - 1).data()).isEqualTo(ChatStream.DONE);
        return events.stream().map(SseEvent::data).collect(Collectors.joining());
    }

    private static String json(RawClient client, String body) throws IOException {
        var text = new StringBuilder();
        for (SseEvent event : Events.of(post(client, body).text())) {
            if (event.type().equals("delta")) {
                text.append(JSON.readTree(event.data()).get("text").asText());
            }
        }
        return text.toString();
    }

    /** The mock's text, which it sends to any client. */
    private static String textOf(RelayHarness harness) throws IOException {
        URI mock = harness.mock.uri();
        try (var client = new RawClient(mock.getPort())) {
            client.send(
                    "POST",
                    "/v1/chat/completions",
                    "{\"model\":\"mock:tokens=40\",\"messages\":[{\"role\":\"user\",\"content\":\"Tell me about rivers.\"}]}");
            return JSON.readTree(client.readAll().body())
                    .at("/choices/0/message/content")
                    .asText();
        }
    }

    private void assertAsked(RawClient client, String words) throws IOException {
        RawClient.Response answer = client.readAll();
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(lastRequest(shared).at("/messages/0/content").asText()).isEqualTo(words);
    }

    private static JsonNode lastRequest(RelayHarness harness) throws IOException {
        var requests = harness.mock.requests();
        return JSON.readTree(requests.get(requests.size() - 1).body());
    }
}
