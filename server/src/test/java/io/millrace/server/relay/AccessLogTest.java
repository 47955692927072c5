package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.config.LogField;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@Tag("sockets")
@Tag("h2")
class AccessLogTest {
    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("millrace.access");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            lines.addAll(event.getFormattedMessage().lines().toList());
        }
    };

    @BeforeEach
    void attach() {
        LOGGER.setAdditive(false);
        LOGGER.setLevel(Level.INFO);
        appender.setContext(LOGGER.getLoggerContext());
        appender.start();
        LOGGER.addAppender(appender);
    }

    @AfterEach
    void detach() {
        LOGGER.detachAppender(appender);
    }

    @Test
    void tellsTheTruthAboutTimes() throws IOException {
        try (var harness = start(AccessLog.Format.JSON)) {
            // Again if the machine stood still in between.
            await().untilAsserted(() -> {
                lines.clear();
                assertTrueTimes(harness);
            });
        }
    }

    private void assertTrueTimes(RelayHarness harness) throws IOException {
        long startNs = System.nanoTime();
        harness.stream("/v1/chat/completions", "ttft_ms=150,tokens=4,gap_ms=60,usage=1");
        JsonNode line = onlyJsonLine();
        double tookMs = (System.nanoTime() - startNs) / 1e6;
        assertThat(line.get("ttft_ms").asDouble()).isBetween(149.0, tookMs - 100);
        assertThat(line.get("upstream_ttft_ms").asDouble())
                .isBetween(149.0, line.get("ttft_ms").asDouble());
        assertThat(line.get("longest_gap_ms").asDouble()).isBetween(55.0, tookMs - 150);
        assertThat(line.get("duration_ms").asDouble()).isBetween(150 + 3 * 60 - 5.0, tookMs);
        assertThat(line.get("first_frame_ms").asDouble())
                .isLessThanOrEqualTo(line.get("upstream_ttft_ms").asDouble());
    }

    @Test
    void tellsWhatWasRelayed() throws IOException {
        try (var harness = start(AccessLog.Format.JSON)) {
            var response = harness.stream("/v1/messages", "tokens=7");
            JsonNode line = onlyJsonLine();
            assertThat(line.get("method").asText()).isEqualTo("POST");
            assertThat(line.get("path").asText()).isEqualTo("/v1/messages");
            assertThat(line.get("dialect").asText()).isEqualTo("messages");
            assertThat(line.get("model").asText()).isEqualTo("m");
            assertThat(line.get("upstream").asText()).isEqualTo("default");
            assertThat(line.get("status").asInt()).isEqualTo(200);
            assertThat(line.get("outcome").asText()).isEqualTo("completed");
            assertThat(line.get("finish").asText()).isEqualTo("end_turn");
            assertThat(line.get("frames").asInt()).isEqualTo(response.frames().size());
            assertThat(line.get("output_frames").asInt()).isEqualTo(7);
            assertThat(line.get("output_tokens").asInt()).isEqualTo(7);
            assertThat(line.get("response_bytes").asInt()).isEqualTo(response.body().length);
            assertThat(line.get("id").asText()).isEqualTo(response.header("x-millrace-request-id"));
        }
    }

    @ParameterizedTest
    @Tag("h1") // chunked coding
    @ValueSource(strings = {"/v1/chat/completions", "/v1/files", "/chat", "/healthz"})
    void tellsOnceOfARequestThatGoesBadAfterItBegan(String path) throws IOException {
        try (var harness = start(AccessLog.Format.JSON);
                var client = harness.client()) {
            client.sendRaw("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).as(response.text()).isEqualTo(400);
            assertThat(client.read()).isEqualTo(-1);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            try (var next = harness.client()) {
                next.send("GET", "/echo", "");
                assertThat(next.readAll().status()).isEqualTo(200);
            }
            await().until(() -> lines.stream().anyMatch(line -> line.contains("/echo")));
            if (path.startsWith("/v1")) {
                JsonNode line = JSON.readTree(lines.get(0));
                assertThat(line.get("outcome").asText()).isEqualTo("refused");
                assertThat(line.get("status").asInt()).isEqualTo(400);
                assertThat(line.get("id").asText()).isEqualTo(response.header("x-millrace-request-id"));
            }
            assertThat(lines).hasSizeLessThanOrEqualTo(2);
        }
    }

    @Test
    void tellsWhatOthersCallTheRequest() throws IOException {
        try (var harness = start(AccessLog.Format.JSON);
                var client = harness.client()) {
            String trace = "4bf92f3577b34da6a3ce929d0e0e4736";
            client.send(
                    "POST",
                    RelayHarness.withSpec("/v1/chat/completions", "status=429"),
                    "{\"model\":\"m\",\"stream\":true}",
                    "x-request-id: mine-1",
                    "traceparent: 00-" + trace + "-00f067aa0ba902b7-01");
            client.readAll();
            JsonNode line = onlyJsonLine();
            assertThat(line.get("client_request_id").asText()).isEqualTo("mine-1");
            assertThat(line.get("trace_id").asText()).isEqualTo(trace);
            assertThat(line.get("route").asText()).isEqualTo("all");
            assertThat(line.get("origin").asText()).isEqualTo(harness.mock.uri().toString());
            assertThat(line.get("failures").asText()).startsWith("default:429");
            assertThat(line.get("failed_attempts").asText())
                    .matches("(default:429:http://127\\.0\\.0\\.1:\\d+@\\d+\\.\\d{3}\\+\\d+\\.\\d{3},?)+");
        }
    }

    @Test
    void tellsOnlyTheChosenFields() throws IOException {
        var chosen = AccessLog.DEFAULT.with(a -> a.fields = List.of(LogField.STATUS, LogField.ERROR_MESSAGE));
        try (var harness = RelayHarness.start(config -> config.with(c -> c.accessLog = chosen))) {
            harness.stream("/v1/chat/completions", "tokens=9,end_after=3");
            JsonNode line = onlyJsonLine();
            assertThat(line.fieldNames()).toIterable().containsExactly("status", "error_message");
            assertThat(line.get("error_message").asText()).contains("broke off");
        }
    }

    @Test
    void namesTheErrorOfOurs() throws IOException {
        try (var harness = start(AccessLog.Format.JSON)) {
            harness.stream("/v1/chat/completions", "tokens=9,end_after=3");
            JsonNode line = onlyJsonLine();
            assertThat(line.get("outcome").asText()).isEqualTo("upstream_truncated");
            assertThat(line.get("error").asText()).isEqualTo("upstream_truncated");
            assertThat(line.get("output_frames").asInt()).isEqualTo(3);
        }
    }

    @Test
    void keepsPromptsQueriesAndKeysToItself() throws IOException {
        for (var format : List.of(AccessLog.Format.JSON, AccessLog.Format.TEXT)) {
            lines.clear();
            try (var harness = start(format);
                    var client = harness.client()) {
                client.send(
                        "POST",
                        "/v1beta/models/m:streamGenerateContent?alt=sse&key=QUERYKEY",
                        "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"PROMPTTEXT\"}]}]}",
                        "x-goog-api-key: HEADERKEY",
                        "Authorization: Bearer BEARERKEY");
                assertThat(client.readAll().status()).isEqualTo(200);
                assertThat(onlyLine())
                        .contains("streamGenerateContent")
                        .doesNotContain("QUERYKEY", "PROMPTTEXT", "HEADERKEY", "BEARERKEY", "alt=sse");
            }
        }
    }

    @Test
    void writesTextWithoutSpacesInValues() throws IOException {
        try (var harness = start(AccessLog.Format.TEXT);
                var client = harness.client()) {
            client.post("/v1/chat/completions", "a b\\nc", "");
            client.readAll();
            assertThat(onlyLine())
                    .contains(" model=a_b_c ", " status=200 ", " outcome=completed ")
                    .matches("[^ =]+=[^ ]*( [^ =]+=[^ ]*)*");
        }
    }

    @Test
    @Tag("h1") // a head that cannot be written in HTTP/2
    void logsWhatWasRefused() throws IOException {
        try (var harness = start(AccessLog.Format.JSON);
                var client = harness.client()) {
            client.sendRaw("GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(400);
            JsonNode line = onlyJsonLine();
            assertThat(line.get("outcome").asText()).isEqualTo("refused");
            assertThat(line.get("status").asInt()).isEqualTo(400);
            assertThat(line.get("path").asText()).isEqualTo("/v1/models");
        }
    }

    private static RelayHarness start(AccessLog.Format format) {
        return RelayHarness.start(
                config -> config.with(c -> c.accessLog = AccessLog.DEFAULT.with(a -> a.format = format)));
    }

    private String onlyLine() {
        await().until(() -> !lines.isEmpty());
        assertThat(lines).hasSize(1);
        return lines.get(0);
    }

    private JsonNode onlyJsonLine() throws IOException {
        return JSON.readTree(onlyLine());
    }
}
