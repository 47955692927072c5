package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A function that the model may call.
 *
 * @param name its name
 * @param description what it does, may be null
 * @param parameters JSON schema of its arguments, null if it takes none
 * @param strict whether the arguments must follow the schema, null if not said
 */
public record Tool(String name, String description, ObjectNode parameters, Boolean strict) {}
