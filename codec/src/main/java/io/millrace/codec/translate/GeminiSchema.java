package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Converts Google's schemas into JSON schemas. They are a subset of OpenAPI 3.0 with types in upper case and counts as
 * strings.
 */
final class GeminiSchema {
    private static final List<String> COUNTS =
            List.of("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties");

    private GeminiSchema() {}

    /** The JSON schema, {@code null} for {@code null}. */
    static @Nullable ObjectNode toJsonSchema(@Nullable ObjectNode schema) {
        return schema == null ? null : converted(schema);
    }

    private static ObjectNode converted(ObjectNode schema) {
        ObjectNode json = Json.object();
        for (Map.Entry<String, JsonNode> field : schema.properties()) {
            put(json, field.getKey(), field.getValue());
        }
        if (schema.path("nullable").asBoolean() && json.path("type").isTextual()) {
            String type = json.get("type").textValue();
            json.putArray("type").add(type).add("null");
        }
        return json;
    }

    private static void put(ObjectNode json, String key, JsonNode value) {
        switch (key) {
            case "nullable", "propertyOrdering" -> {}
            case "type" -> json.set(key, type(value));
            case "properties" -> {
                ObjectNode properties = json.putObject(key);
                for (Map.Entry<String, JsonNode> property : value.properties()) {
                    properties.set(property.getKey(), nested(property.getValue()));
                }
            }
            case "items" -> json.set(key, nested(value));
            case "anyOf" -> {
                ArrayNode choices = json.putArray(key);
                value.forEach(choice -> choices.add(nested(choice)));
            }
            default -> {
                boolean count = COUNTS.contains(key)
                        && value.isTextual()
                        && value.textValue().matches("\\d{1,9}");
                if (count) {
                    json.put(key, Integer.parseInt(value.textValue()));
                } else {
                    json.set(key, value);
                }
            }
        }
    }

    /** One type or several. */
    private static JsonNode type(JsonNode value) {
        if (!(value instanceof ArrayNode several)) {
            return TextNode.valueOf(value.asText("object").toLowerCase(Locale.ROOT));
        }
        ArrayNode types = Json.object().arrayNode();
        several.forEach(one -> types.add(one.asText("null").toLowerCase(Locale.ROOT)));
        return types;
    }

    private static JsonNode nested(JsonNode schema) {
        return schema instanceof ObjectNode object ? converted(object) : schema;
    }
}
