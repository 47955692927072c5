package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.mock.MockRequest;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests of coding agents to an upstream of their own dialect: path, header fields and body are unchanged. */
@Tag("sockets")
@Tag("h2")
class AgentRequestsPassTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path RECORDED = Path.of("../codec/src/test/resources/agents");

    private static RelayHarness harness;

    @BeforeAll
    static void start() {
        harness = RelayHarness.start();
    }

    @AfterAll
    static void stop() {
        harness.close();
    }

    static Stream<Path> requests() throws IOException {
        try (var files = Files.list(RECORDED)) {
            return files.sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("requests")
    void arriveAsTheyWereSent(Path file) throws IOException {
        JsonNode recorded = JSON.readTree(Files.readAllBytes(file));
        String body = recorded.path("body").toString();
        List<String> fields = fields(recorded.path("headers"));
        try (var client = harness.client()) {
            client.send("POST", recorded.path("uri").asText(), body, fields.toArray(String[]::new));
            assertThat(client.readAll().status()).isEqualTo(200);
        }
        MockRequest seen = harness.mock.requests().get(harness.mock.requests().size() - 1);
        assertThat(seen.uri()).isEqualTo(recorded.path("uri").asText());
        assertThat(new String(seen.body(), StandardCharsets.UTF_8)).isEqualTo(body);
        var arrived = new ArrayList<String>();
        seen.headers().forEach(field -> arrived.add(field.getKey() + ": " + field.getValue()));
        assertThat(arrived).containsAll(fields);
        assertThat(fields).hasSizeGreaterThan(8);
    }

    private static List<String> fields(JsonNode headers) {
        var fields = new ArrayList<String>();
        headers.forEach(field -> fields.add(
                RawClient.nameSent(field.get(0).asText()) + ": " + field.get(1).asText()));
        return fields;
    }
}
