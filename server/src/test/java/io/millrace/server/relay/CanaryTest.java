package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Telemetry;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An upstream repeats prompt and key in all that it says. None of it gets into logs and metrics. */
@Tag("sockets")
class CanaryTest {
    private static final String PROMPT = "CANARYPROMPT";
    private static final String KEY = "sk-CANARYKEY";
    private static final String QUERY = "CANARYQUERY";
    private static final String ECHO = PROMPT + " " + KEY + " " + QUERY;

    @ParameterizedTest
    @CsvSource({
        "400 Bad Request,        application/json,  '{\"error\":{\"message\":\"ECHO\",\"code\":\"ECHO\"}}'",
        "503 ECHO,               text/plain,        'ECHO'",
        "200 OK,                 text/event-stream, 'data: {\"error\":{\"message\":\"ECHO\",\"code\":\"ECHO\"}}\n\n'",
        "200 OK,                 text/event-stream, 'data: ECHO\n\n'",
        "200 OK,                 text/event-stream, 'ECHO'",
        "200 OK,                 application/json,  '{\"error\":\"ECHO\"}'",
        "ECHO,                   ECHO,              'ECHO'",
    })
    void nothingOfAPromptAnAnswerOrAKeyIsTold(String status, String type, String body) throws IOException {
        String response = ("HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\nx-canary: ECHO\r\n"
                        + "Content-Length: " + body.replace("ECHO", ECHO).length() + "\r\nConnection: close\r\n\r\n"
                        + body)
                .replace("ECHO", ECHO);
        try (var lines = new AccessLines();
                var billed = new AccessLines("millrace.usage");
                var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(response);
                });
                var relay = RelayHarness.serve(config(upstream));
                var client = new RawClient(relay.addresses().get(0).getPort())) {
            client.send(
                    "POST",
                    Api.CHAT.path + "?key=" + QUERY,
                    "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"" + PROMPT
                            + "\"}]}",
                    "Authorization: Bearer " + KEY);
            client.readAll();
            JsonNode line = lines.next();
            await().until(() -> relay.metrics().activeExchanges() == 0);
            assertThat(line
                            + billed.next().toString()
                            + new String(relay.metrics().text(), StandardCharsets.UTF_8))
                    .doesNotContain("CANARY");
        }
    }

    private static RelayConfig config(ScriptedUpstream upstream) {
        var telemetry = Telemetry.DEFAULT.with(t -> t.usageLog = new UsageLog(Path.of("unused"), 0));
        RelayConfig config = RelayConfig.relayTo(upstream.uri())
                .with(c -> c.accessLog = AccessLog.DEFAULT)
                .with(c -> c.telemetry = telemetry);
        return RelayHarness.withRetry(config, RelayHarness.QUICK);
    }
}
