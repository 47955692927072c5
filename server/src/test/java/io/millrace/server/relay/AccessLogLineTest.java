package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.config.AccessLog;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What one line says about one exchange, and what it keeps to itself. */
class AccessLogLineTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double SLACK_MS = 150;

    private final Logger logger = (Logger) LoggerFactory.getLogger("millrace.access");
    private final Lines lines = new Lines();
    private Level level;

    private static final class Lines extends AppenderBase<ILoggingEvent> {
        final CopyOnWriteArrayList<String> texts = new CopyOnWriteArrayList<>();

        @Override
        protected void append(ILoggingEvent event) {
            texts.add(event.getFormattedMessage());
        }
    }

    @BeforeEach
    void listen() {
        level = logger.getLevel();
        logger.setLevel(Level.INFO);
        logger.setAdditive(false);
        lines.start();
        logger.addAppender(lines);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(lines);
        logger.setLevel(level);
    }

    @Test
    void tellsTheTruthAboutAStream() throws IOException {
        JsonNode line = JSON.readTree(line(AccessLog.DEFAULT, "tokens=7,ttft_ms=120,gap_ms=40,usage=1"));
        assertThat(line.get("outcome").asText()).isEqualTo("completed");
        assertThat(line.get("path").asText()).isEqualTo(Api.CHAT.path);
        assertThat(line.get("dialect").asText()).isEqualTo("chat");
        assertThat(line.get("model").asText()).isEqualTo("secret-free-model");
        assertThat(line.get("status").asInt()).isEqualTo(200);
        assertThat(line.get("finish").asText()).isEqualTo("stop");
        assertThat(line.get("ttft_ms").asDouble()).isBetween(120.0, 120 + SLACK_MS);
        assertThat(line.get("upstream_ttft_ms").asDouble())
                .isBetween(120.0, line.get("ttft_ms").asDouble());
        assertThat(line.get("longest_gap_ms").asDouble()).isBetween(38.0, 40 + SLACK_MS);
        assertThat(line.get("duration_ms").asDouble()).isGreaterThan(120 + 6 * 38);
        assertThat(line.get("output_frames").asInt()).isEqualTo(7);
        assertThat(line.get("frames").asInt()).isGreaterThan(8);
        assertThat(line.get("output_tokens").asInt()).isEqualTo(7);
        assertThat(line.get("input_tokens").asInt()).isPositive();
    }

    @Test
    void saysHowAnExchangeFailed() throws IOException {
        JsonNode line = JSON.readTree(line(AccessLog.DEFAULT, "tokens=7,end_after=2"));
        assertThat(line.get("outcome").asText()).isEqualTo("upstream_truncated");
        assertThat(line.get("output_frames").asInt()).isEqualTo(2);
    }

    @Test
    void isKeysAndValuesInTheTextFormat() throws IOException {
        String line = line(AccessLog.DEFAULT.withFormat(AccessLog.Format.TEXT), "tokens=7");
        assertThat(line).contains(" outcome=completed", " model=secret-free-model", " ttft_ms=");
        for (String pair : line.split(" ", -1)) {
            assertThat(pair).contains("=");
        }
    }

    /** The one line of one exchange whose query, headers and body each hold a word that no line may hold. */
    private String line(AccessLog format, String spec) throws IOException {
        try (var harness = RelayHarness.start(config -> config.withAccessLog(format));
                var client = harness.client()) {
            client.send(
                    "POST",
                    RelayHarness.withSpec(Api.CHAT.path, spec) + "&key=HUSH",
                    "{\"model\":\"secret-free-model\",\"stream\":true,"
                            + "\"messages\":[{\"role\":\"user\",\"content\":\"HUSH\"}]}",
                    "Authorization: Bearer HUSH");
            client.readAll();
            await().until(() -> !lines.texts.isEmpty());
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
        }
        assertThat(lines.texts).hasSize(1);
        assertThat(lines.texts.get(0)).doesNotContain("HUSH").doesNotContain("mock=");
        return lines.texts.get(0);
    }
}
