package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * The form that the answer's text must have: JSON of a schema, or any JSON object.
 *
 * @param name the schema's name, may be null
 * @param description the schema's description, may be null
 * @param schema JSON schema; null for any JSON object
 * @param strict whether the schema must be followed exactly, null if that was not given
 */
public record OutputFormat(
        @Nullable String name,
        @Nullable String description,
        @Nullable ObjectNode schema,
        @Nullable Boolean strict) {
    /** Any JSON object. */
    static final OutputFormat JSON = new OutputFormat(null, null, null, null);

    /**
     * Reads OpenAI's object for a format; null if it asks for text.
     *
     * @param nested the key of the object with the fields of a schema, null if {@code format} itself has them
     */
    static @Nullable OutputFormat read(JsonFields format, @Nullable String nested) {
        String type = format.requiredText("type");
        return switch (type) {
            case "text" -> null;
            case "json_object" -> JSON;
            case "json_schema" -> {
                JsonFields fields = nested == null ? format : format.requiredObject(nested);
                yield new OutputFormat(
                        fields.text("name"), fields.text("description"), fields.tree("schema"), fields.flag("strict"));
            }
            default -> throw format.refuse("type", "cannot be translated: " + type);
        };
    }

    /** Puts the fields of a schema into an object of OpenAI's. */
    void put(ObjectNode json) {
        json.put("name", name == null ? "response" : name);
        Json.putKnown(json, "description", description);
        Json.putKnown(json, "schema", schema);
        Json.putKnown(json, "strict", strict);
    }
}
