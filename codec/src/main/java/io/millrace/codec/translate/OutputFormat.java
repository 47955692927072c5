package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * The form that the answer's text must have: JSON, of a schema or of any.
 *
 * @param name the schema's name, may be null
 * @param description the schema's description, may be null
 * @param schema JSON schema; null for any JSON object
 * @param strict whether the schema must be followed exactly, null if not said
 */
public record OutputFormat(
        @Nullable String name,
        @Nullable String description,
        @Nullable ObjectNode schema,
        @Nullable Boolean strict) {
    /** JSON of any form. */
    static final OutputFormat JSON = new OutputFormat(null, null, null, null);
}
