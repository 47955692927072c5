package io.millrace.codec.translate;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the tools of a Chat Completions request, in Chat's own form and in the flat form of Responses, and the choice
 * of tools.
 */
final class ChatToolsReader {
    private static final String WEB_SEARCH = "web_search_options";

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final ToolList tools = new ToolList();

    ChatToolsReader(JsonFields body, ModelRequest.Builder request) {
        this.body = body;
        this.request = request;
    }

    void read() {
        for (JsonFields tool : body.objects("tools")) {
            readTool(tool);
        }
        readLegacy();
        readSearch();
        request.toolChoice(toolChoice());
        tools.into(request);
        Boolean parallel = body.flag("parallel_tool_calls");
        if (parallel != null) {
            request.parallelTools(parallel);
        }
    }

    /** Reads the legacy form of tools. */
    private void readLegacy() {
        for (JsonFields function : body.objects("functions")) {
            Tool.Function read = function(function);
            var form = new CallForm(CallForm.Kind.LEGACY_FUNCTION, null, function.requiredText("name"));
            tools.add(new Tool.Function(read.name(), read.description(), read.parameters(), read.strict(), form));
            request.parallelTools(false);
        }
    }

    private void readSearch() {
        JsonFields options = body.object(WEB_SEARCH);
        if (options != null) {
            var settings = new HostedSettings()
                    .location(options, "user_location")
                    .word(options, "search_context_size", HostedSetting.Key.CONTEXT_SIZE)
                    .others(options);
            tools.add(new Tool.Hosted(HostedKind.WEB_SEARCH, WEB_SEARCH, WEB_SEARCH, settings.list()));
        }
    }

    private void readTool(JsonFields tool) {
        String type = tool.text("type", "function");
        switch (type) {
            case "function" -> tools.add(function(tool.has("function") ? tool.requiredObject("function") : tool));
            case "custom" ->
                tools.add(CustomTools.read(tool.has("custom") ? tool.requiredObject("custom") : tool, null));
            default -> tools.addHosted(type, tool.path("type"));
        }
    }

    private static Tool.Function function(JsonFields function) {
        return Tool.Function.read(function, "parameters", null);
    }

    private @Nullable ToolChoice toolChoice() {
        if (!body.has("tool_choice")) {
            return body.has("function_call") ? legacyChoice() : null;
        }
        if (body.isText("tool_choice")) {
            return mode(body, "tool_choice");
        }
        JsonFields choice = body.requiredObject("tool_choice");
        String type = choice.text("type", "function");
        return switch (type) {
            case "function", "custom" ->
                ToolChoice.named(ToolName.of(named(choice).requiredText("name")));
            case "allowed_tools" -> allowed(choice.has(type) ? choice.requiredObject(type) : choice);
            default -> ToolChoice.hosted(type);
        };
    }

    // "auto", "none" or {"name": ".."}
    private ToolChoice legacyChoice() {
        if (body.isText("function_call")) {
            return mode(body, "function_call");
        }
        String name = body.requiredObject("function_call").requiredText("name");
        return ToolChoice.named(ToolName.of(name));
    }

    private ToolChoice allowed(JsonFields choice) {
        Set<String> names = new HashSet<>();
        for (JsonFields tool : choice.objects("tools")) {
            JsonFields named = named(tool);
            names.add(named.has("name") ? ToolName.of(named.requiredText("name")) : tool.requiredText("type"));
        }
        tools.allow(names);
        return mode(choice, "mode");
    }

    /** The object with the name of a tool: {@code {"type": "function", "function": {"name": ..}}}, or flat. */
    private static JsonFields named(JsonFields tool) {
        for (String type : new String[] {"function", "custom"}) {
            if (tool.has(type)) {
                return tool.requiredObject(type);
            }
        }
        return tool;
    }

    private static ToolChoice mode(JsonFields fields, String key) {
        return switch (fields.requiredText(key)) {
            case "auto" -> ToolChoice.AUTO;
            case "none" -> ToolChoice.NONE;
            case "required" -> ToolChoice.REQUIRED;
            default -> throw fields.refuse(key, "expected auto, none, required or a tool");
        };
    }
}
