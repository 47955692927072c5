package io.millrace.server.chat;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
@Tag("h2")
class OpenApiTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void isServedAsTheDocumentOfThisRelay() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.send("GET", "/openapi.json", "");
            RawClient.Response answer = client.readAll();
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.header("content-type")).isEqualTo("application/json");
            JsonNode document = JSON.readTree(answer.body());
            assertThat(document.get("openapi").asText()).startsWith("3.1.");
            assertThat(document.at("/info/title").asText()).isEqualTo("Millrace");
        }
    }

    @Test
    void refersToNothingThatIsNotThere() throws IOException {
        JsonNode document = JSON.readTree(OpenApi.json());
        var references = new ArrayList<String>();
        document.findValues("$ref").forEach(reference -> references.add(reference.asText()));
        assertThat(references).isNotEmpty().allSatisfy(reference -> {
            assertThat(reference).startsWith("#/");
            assertThat(document.at(reference.substring(1)).isMissingNode()).isFalse();
        });
    }

    /** Each documented request gets a documented status, and does not reach the upstream. */
    @Test
    void documentsPathsThatTheRelayAnswersByItself() throws IOException {
        JsonNode document = JSON.readTree(OpenApi.json());
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            for (Map.Entry<String, JsonNode> path : document.get("paths").properties()) {
                for (Map.Entry<String, JsonNode> operation : path.getValue().properties()) {
                    int status = ask(client, operation.getKey(), path.getKey());
                    assertThat(documented(operation.getValue()))
                            .as("%s %s", operation.getKey(), path.getKey())
                            .anyMatch(code -> code.equals(String.valueOf(status)) || code.equals(status / 100 + "XX"));
                }
            }
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    private static int ask(RawClient client, String method, String path) throws IOException {
        client.send(method.toUpperCase(Locale.ROOT), path.replace("{id}", "st_none"), "");
        return client.readAll().status();
    }

    private static List<String> documented(JsonNode operation) {
        var codes = new ArrayList<String>();
        operation.get("responses").fieldNames().forEachRemaining(codes::add);
        return codes;
    }
}
