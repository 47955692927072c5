package io.millrace.server.mock;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A tool that a request offers.
 *
 * @param namespace the namespace of the tool (Responses), or empty
 * @param custom whether it takes text instead of JSON
 * @param schema the schema of its arguments; missing if the request has none
 */
record Tool(String name, String namespace, boolean custom, JsonNode schema) {
    private static final List<String> COMMANDS = List.of("cmd", "command");
    private static final List<String> FILES = List.of("file_path", "path");

    static Tool function(String name) {
        return new Tool(name, "", false, MissingNode.getInstance());
    }

    /** The tools that a request of any dialect offers, without those that its provider would run. */
    static List<Tool> of(JsonNode request) {
        var tools = new ArrayList<Tool>();
        request.path("tools").forEach(tool -> add(tool, "", tools));
        for (JsonNode item : request.path("input")) {
            if (item.path("type").asText().equals("additional_tools")) {
                item.path("tools").forEach(tool -> add(tool, "", tools));
            }
        }
        return tools;
    }

    private static void add(JsonNode tool, String namespace, List<Tool> tools) {
        String type = tool.path("type").asText();
        if (type.equals("namespace")) {
            tool.path("tools").forEach(inner -> add(inner, tool.path("name").asText(), tools));
            return;
        }
        if (tool.has("functionDeclarations")) {
            tool.path("functionDeclarations").forEach(inner -> add(inner, "", tools));
            return;
        }
        boolean custom = type.equals("custom");
        var holder = tool.path(custom ? "custom" : "function");
        var told = holder.isObject() ? holder : tool;
        if (told.path("name").isTextual()) {
            tools.add(
                    new Tool(told.path("name").asText(), namespace, custom && !told.has("input_schema"), schema(told)));
        }
    }

    private static JsonNode schema(JsonNode tool) {
        for (String field : List.of("input_schema", "parametersJsonSchema", "parameters")) {
            if (tool.path(field).isObject()) {
                return tool.path(field);
            }
        }
        return MissingNode.getInstance();
    }

    /** Arguments with which the tool runs a shell command; null if it cannot run one. */
    @Nullable
    String running(String command) {
        String property = property(COMMANDS);
        if (property != null) {
            var arguments = JsonNodeFactory.instance.objectNode();
            if (isOf(property, "array")) {
                arguments.putArray(property).add("sh").add("-c").add(command);
            } else {
                arguments.put(property, command);
            }
            return filled(arguments).toString();
        }
        if (!name.endsWith("exec")) {
            return null;
        }
        // A tool that runs scripts. Commands are a function in them.
        String script = "text((await tools.exec_command({cmd: \"" + command + "\"})).output);";
        if (custom) {
            return script;
        }
        boolean takesText = property(List.of("input")) != null;
        return takesText
                ? JsonNodeFactory.instance.objectNode().put("input", script).toString()
                : null;
    }

    /** Arguments with which the tool reads a file; null if it cannot read one. */
    @Nullable
    String reading(String file) {
        String property = name.toLowerCase(Locale.ROOT).contains("read") ? property(FILES) : null;
        return property == null
                ? null
                : filled(JsonNodeFactory.instance.objectNode().put(property, file))
                        .toString();
    }

    private @Nullable String property(List<String> names) {
        return names.stream().filter(schema.path("properties")::has).findFirst().orElse(null);
    }

    private boolean isOf(String property, String type) {
        return schema.path("properties").path(property).path("type").asText().equalsIgnoreCase(type);
    }

    /** Adds a value for each other required argument. */
    private ObjectNode filled(ObjectNode arguments) {
        for (JsonNode required : schema.path("required")) {
            String property = required.asText();
            if (arguments.has(property)) {
                continue;
            }
            if (isOf(property, "boolean")) {
                arguments.put(property, false);
            } else if (isOf(property, "integer") || isOf(property, "number")) {
                arguments.put(property, 1);
            } else if (isOf(property, "array")) {
                arguments.putArray(property);
            } else if (isOf(property, "object")) {
                arguments.putObject(property);
            } else {
                arguments.put(property, "any");
            }
        }
        return arguments;
    }
}
