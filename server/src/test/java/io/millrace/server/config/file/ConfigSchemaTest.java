package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfigSchemaTest {
    private static final Path PUBLISHED = Path.of("..", "docs", "millrace.schema.json");
    private static final Path EXAMPLE = Path.of("..", "bench", "src", "dist", "millrace.example.yaml");

    @Test
    void isPublishedAsItIsMade() throws IOException {
        assertThat(ConfigSchema.json()).isEqualTo(Files.readString(PUBLISHED));
    }

    @Test
    void allowsTheExampleAndNoUnknownKey() throws IOException {
        var schema = new ObjectMapper().readTree(ConfigSchema.json());
        var example = new ObjectMapper(new YAMLFactory()).readTree(Files.readString(EXAMPLE));

        assertThat(wrong(schema, example, "")).isEmpty();
        assertThat(wrong(schema, json("{\"lisen\":1}"), "")).containsExactly("/lisen");
        assertThat(wrong(schema, json("{\"retry\":\"off\"}"), "")).containsExactly("/retry");
        assertThat(wrong(schema, json("{\"routes\":[{\"retry\":\"on\"}]}"), "")).containsExactly("/routes/0/retry");
        assertThat(wrong(schema, json("{\"timeouts\":{\"idle\":\"5 parsecs\"}}"), ""))
                .containsExactly("/timeouts/idle");
        assertThat(wrong(schema, json("{\"heartbeat\":\"off\",\"accessLog\":\"json\"}"), ""))
                .isEmpty();
    }

    private static JsonNode json(String text) throws IOException {
        return new ObjectMapper().readTree(text);
    }

    /** The places that do not fit, by the few keywords that the schema uses. */
    private static List<String> wrong(JsonNode schema, JsonNode value, String at) {
        var wrong = new ArrayList<String>();
        if (schema.has("anyOf")) {
            for (JsonNode choice : schema.path("anyOf")) {
                var inner = wrong(choice, value, at);
                if (inner.isEmpty()) {
                    return inner;
                }
                boolean section =
                        value.isObject() && choice.path("type").asText().equals("object");
                wrong.addAll(section ? inner : List.of());
            }
            return wrong.isEmpty() ? List.of(at) : wrong;
        }
        boolean fits = switch (schema.path("type").asText()) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" ->
                value.isTextual()
                        && (!schema.has("pattern")
                                || value.asText().matches(schema.path("pattern").asText()));
            case "integer" -> value.isIntegralNumber();
            case "number" -> value.isNumber();
            case "boolean" -> value.isBoolean();
            default ->
                schema.has("const")
                        ? value.asText().equals(schema.path("const").asText())
                        : schema.path("enum").toString().contains('"' + value.asText() + '"');
        };
        if (!fits) {
            return List.of(at);
        }
        for (int i = 0; value.isArray() && i < value.size(); i++) {
            wrong.addAll(wrong(schema.path("items"), value.get(i), at + "/" + i));
        }
        value.properties().forEach(entry -> {
            var known = schema.path("properties").path(entry.getKey());
            var others = schema.path("additionalProperties");
            if (known.isMissingNode() && !others.isObject()) {
                wrong.add(at + "/" + entry.getKey());
            } else {
                wrong.addAll(
                        wrong(known.isMissingNode() ? others : known, entry.getValue(), at + "/" + entry.getKey()));
            }
        });
        return wrong;
    }
}
