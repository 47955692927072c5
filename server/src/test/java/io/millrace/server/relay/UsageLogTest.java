package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Telemetry;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The lines for billing: one for each answer, whatever happened on its way. */
@Tag("sockets")
@Tag("h2")
class UsageLogTest {
    private static final String ANSWER = "tokens=5,usage=1";

    private final AccessLines lines = new AccessLines("millrace.usage");
    private MockServer broken;
    private RelayHarness harness;

    @BeforeEach
    void start() {
        broken = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("close_on_accept=1")));
        harness = RelayHarness.start(this::config);
    }

    @AfterEach
    void stop() {
        harness.close();
        broken.close();
        lines.close();
    }

    private RelayConfig config(RelayConfig config) {
        Route all = config.routes().get(0).with(r -> r.retry = RelayHarness.QUICK);
        var first = Route.of("falls", Match.models("falls"), "broken").targets().get(0);
        var hedge = Hedge.P95.with(h -> h.delay = Duration.ofMillis(50)).with(h -> h.maxShare = 1);
        URI mock = config.upstreams().get("default").url();
        var origins = List.of(mock, URI.create("http://localhost:" + mock.getPort()));
        var upstreams =
                Map.of("default", Upstream.of("default", origins), "broken", Upstream.of("broken", broken.uri()));
        return config.with(c -> c.upstreams = upstreams)
                .with(c -> c.telemetry = Telemetry.DEFAULT.with(t -> t.usageLog = new UsageLog(Path.of("unused"), 0)))
                .with(c -> c.routes = List.of(
                        all.with(r -> r.name = "falls")
                                .with(r -> r.match = Match.models("falls"))
                                .with(r ->
                                        r.targets = List.of(first, all.targets().get(0))),
                        all.with(r -> r.name = "hedged")
                                .with(r -> r.match = Match.models("hedged"))
                                .with(r -> r.hedge = hedge),
                        all.with(r -> r.name = "kept")
                                .with(r -> r.match = Match.models("kept"))
                                .with(r -> r.disconnect = Disconnect.DETACH),
                        all));
    }

    @ParameterizedTest
    @CsvSource({
        "m, 'status=503,fail_first=2,group=r', all",
        "hedged, 'stall_after_head=1,fail_first=1,group=h', hedged",
        "falls, seed=1, falls",
    })
    void tellsOnceOfAnAnswerThatTookSeveralAttempts(String model, String spec, String route) throws IOException {
        RawClient.Response response = ask(Api.CHAT.path, ANSWER + "," + spec, model, "\"stream\":true");
        JsonNode line = lines.next();
        assertThat(response.header("x-millrace-attempts"))
                .as(response.head() + line)
                .isNotEqualTo("1");
        assertThat(line.get("id").asText()).isEqualTo(response.header("x-millrace-request-id"));
        assertThat(line.get("route").asText()).isEqualTo(route);
        assertThat(line.get("upstream").asText()).isEqualTo("default");
        assertThat(line.get("model").asText()).isEqualTo(model);
        assertThat(line.get("outcome").asText()).isEqualTo("completed");
        assertExact(line, 5);
        assertNoMore();
    }

    @ParameterizedTest
    @EnumSource
    void tellsOfStreamsAndOfWholeAnswers(Api api) throws IOException {
        for (String stream : List.of("\"stream\":true", "\"stream\":false")) {
            String path = stream.endsWith("true") ? api.path : api.path.replace("streamGenerate", "generate");
            assertThat(ask(path, ANSWER, "m", stream).status()).isEqualTo(200);
            JsonNode line = lines.next();
            assertThat(line.get("dialect").asText()).isEqualTo(api.dialect.label());
            assertThat(line.get("served_model").asText()).isNotEmpty();
            assertThat(line.get("finish").asText()).isNotEmpty();
            assertExact(line, 5);
        }
    }

    @ParameterizedTest
    @CsvSource({"application/json", "text/plain", "text/event-stream"})
    void tellsOfChat(String accept) throws IOException {
        try (var client = harness.client()) {
            String body = "{\"model\":\"mock:tokens=5\",\"prompt\":\"SECRETPROMPT\"}";
            client.send("POST", "/chat", body, "Accept: " + accept, "Content-Type: application/json");
            assertThat(client.readAll().status()).isEqualTo(200);
        }
        JsonNode line = lines.next();
        assertThat(line.get("dialect").asText()).isEqualTo("text");
        assertThat(line.get("model").asText()).isEqualTo("mock:tokens=5");
        assertThat(line.get("served_model").asText()).isNotEmpty();
        assertThat(line.toString()).doesNotContain("SECRETPROMPT");
        assertExact(line, 5);
    }

    @Test
    void tellsOfAPartIfTheClientLeaves() throws IOException {
        try (var client = harness.client()) {
            client.post(RelayHarness.withSpec(Api.MESSAGES.path, "tokens=9,stall_after=4"), "m", "");
            client.readUntil("content_block_delta");
        }
        JsonNode line = lines.next();
        assertThat(line.get("outcome").asText()).isEqualTo("client_gone");
        assertThat(line.get("usage").asText()).isEqualTo("partial");
        assertThat(line.get("input_tokens").asInt()).isPositive();
        assertThat(line.get("output_frames").asInt()).isPositive();
    }

    @Test
    void tellsOfAnAnswerThatNoUpstreamGave() throws IOException {
        ask(Api.CHAT.path, "status=503", "m", "\"stream\":true");
        JsonNode line = lines.next();
        assertThat(line.get("status").asInt()).isEqualTo(503);
        assertThat(line.get("usage").asText()).isEqualTo("partial");
        assertThat(line.has("output_tokens")).isFalse();
    }

    /** The client that asked leaves, and others read the stream. */
    @Test
    void tellsOnceOfAnAnswerThatIsReadAgain() throws IOException {
        String id;
        try (var client = harness.client()) {
            client.post(RelayHarness.withSpec(Api.CHAT.path, ANSWER + ",gap_ms=20"), "kept", "");
            id = RawClient.header(client.readHead(), "x-millrace-stream");
            client.reset();
        }
        for (int i = 0; i < 2; i++) {
            try (var reader = harness.client()) {
                reader.send("GET", "/millrace/streams/" + id, "");
                assertThat(reader.readAll().text()).endsWith("data: [DONE]\n\n");
            }
        }
        JsonNode line = lines.next();
        assertThat(line.get("route").asText()).isEqualTo("kept");
        assertExact(line, 5);
        assertNoMore();
    }

    @Test
    void tellsNothingOfWhatUsesNoTokens() throws IOException {
        try (var client = harness.client()) {
            client.send("GET", "/v1/models", "");
            assertThat(client.readAll().status()).isEqualTo(200);
            client.send("POST", "/chat", "{\"prompt\":\"\"}", "Content-Type: application/json");
            assertThat(client.readAll().status()).isEqualTo(400);
        }
        assertNoMore();
    }

    private RawClient.Response ask(String path, String spec, String model, String fields) throws IOException {
        try (var client = harness.client()) {
            String turns = "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"input\":\"a\"";
            client.send(
                    "POST",
                    RelayHarness.withSpec(path, spec),
                    "{\"model\":\"" + model + "\"," + fields + "," + turns + "}");
            return client.readAll();
        }
    }

    /** The answer behind the others has the next line. */
    private void assertNoMore() throws IOException {
        await().until(() -> harness.relay.metrics().activeExchanges() == 0);
        ask(Api.CHAT.path, ANSWER, "last", "\"stream\":true");
        assertThat(lines.next().get("model").asText()).isEqualTo("last");
    }

    private static void assertExact(JsonNode line, int tokens) {
        assertThat(line.get("usage").asText()).as(line.toString()).isEqualTo("exact");
        assertThat(line.get("output_tokens").asInt()).isEqualTo(tokens);
        assertThat(line.get("input_tokens").asInt()).isPositive();
    }
}
