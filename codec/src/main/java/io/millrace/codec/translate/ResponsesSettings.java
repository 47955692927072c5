package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The fields that a Responses request and its response share. */
final class ResponsesSettings {
    private ResponsesSettings() {}

    /** Puts the settings of the request. */
    static void put(ObjectNode json, ModelRequest request) {
        List<Tool.Function> tools = request.functions();
        Json.putKnown(json, "max_output_tokens", request.maxTokens());
        if (request.parallelTools() != null && !tools.isEmpty()) {
            json.put("parallel_tool_calls", request.parallelTools());
        }
        putReasoning(json, request.thinking());
        Sampling sampling = request.sampling();
        Json.putKnown(json, "temperature", sampling.temperature());
        if (request.format() != null) {
            json.putObject("text").set("format", format(request.format()));
        }
        putToolChoice(json, request.toolChoice());
        if (!tools.isEmpty()) {
            ArrayNode written = json.putArray("tools");
            tools.forEach(tool -> written.add(tool(tool)));
        }
        Json.putKnown(json, "top_p", sampling.topP());
        Json.putKnown(json, "user", request.user());
    }

    /** All of these fields, with OpenAI's defaults for fields that the request does not have. */
    static ObjectNode echoed(ModelRequest request) {
        ObjectNode json = Json.object()
                .putNull("max_output_tokens")
                .put("parallel_tool_calls", true)
                .putNull("temperature")
                .put("tool_choice", "auto")
                .putNull("top_p")
                .putNull("user");
        json.putObject("reasoning").putNull("effort").putNull("summary");
        json.putObject("text").putObject("format").put("type", "text");
        json.putArray("tools");
        put(json, request);
        ToolChoice choice = request.toolChoice();
        if (choice != null && choice.mode() == ToolChoice.Mode.NAMED) {
            CallForm form = request.form(choice.name());
            boolean custom = form.kind() == CallForm.Kind.CUSTOM;
            json.putObject("tool_choice")
                    .put("type", custom ? "custom" : "function")
                    .put("name", form.name());
        }
        return json;
    }

    private static void putReasoning(ObjectNode json, @Nullable Thinking thinking) {
        String effort = Effort.openAi(thinking);
        boolean shown =
                thinking != null && Boolean.TRUE.equals(thinking.shown()) && !Boolean.FALSE.equals(thinking.enabled());
        if (effort == null && !shown) {
            return;
        }
        ObjectNode reasoning = json.putObject("reasoning");
        Json.putKnown(reasoning, "effort", effort);
        if (shown) {
            reasoning.put("summary", "auto");
        }
    }

    private static ObjectNode format(OutputFormat format) {
        ObjectNode json = Json.object();
        if (format.schema() == null) {
            return json.put("type", "json_object");
        }
        format.put(json.put("type", "json_schema"));
        return json;
    }

    /** A tool. Without {@code strict}, OpenAI would change the schema to one that it can enforce. */
    private static ObjectNode tool(Tool.Function tool) {
        ObjectNode json = Json.object().put("type", "function").put("name", tool.name());
        Json.putKnown(json, "description", tool.description());
        if (tool.parameters() == null) {
            json.putObject("parameters").put("type", "object").putObject("properties");
        } else {
            json.set("parameters", tool.schema());
        }
        return json.put("strict", Boolean.TRUE.equals(tool.strict()));
    }

    private static void putToolChoice(ObjectNode json, @Nullable ToolChoice choice) {
        if (choice == null) {
            return;
        }
        switch (choice.mode()) {
            case AUTO -> json.put("tool_choice", "auto");
            case NONE -> json.put("tool_choice", "none");
            case REQUIRED -> json.put("tool_choice", "required");
            case NAMED -> json.putObject("tool_choice").put("type", "function").put("name", choice.name());
            case HOSTED -> json.putObject("tool_choice").put("type", choice.name());
        }
    }
}
