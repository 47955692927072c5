package io.millrace.codec.translate;

import java.util.HashSet;
import java.util.Set;

/** Reads the tools of a Messages request, and the choice of them. */
final class MessagesToolsReader {
    private static final String SERVERS = "mcp_servers";

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final ToolList tools = new ToolList();
    private final Set<String> hostedNames = new HashSet<>();

    MessagesToolsReader(JsonFields body, ModelRequest.Builder request) {
        this.body = body;
        this.request = request;
    }

    void read() {
        body.objects("tools").forEach(this::readTool);
        if (!body.objects(SERVERS).isEmpty()) {
            tools.addHosted(SERVERS, SERVERS, null);
        }
        JsonFields choice = body.object("tool_choice");
        if (choice != null) {
            request.toolChoice(toolChoice(choice));
            if (choice.isTrue("disable_parallel_tool_use")) {
                request.parallelTools(false);
            }
        }
    }

    /** A tool of the list, or one that a later message adds. */
    void readTool(JsonFields tool) {
        String type = tool.text("type");
        boolean plain = type == null || type.equals("custom") || tool.has("input_schema");
        Tool.Function known = plain ? function(tool) : ClientTools.ofMessages(type, tool);
        if (known != null) {
            tools.add(known);
            return;
        }
        tools.addHosted(type, tool.path("type"), tool.tree());
        if (tool.has("name")) {
            hostedNames.add(tool.text("name"));
        }
    }

    /** All tools are known. */
    void end() {
        tools.into(request);
    }

    private static Tool.Function function(JsonFields tool) {
        String name = tool.requiredText("name");
        return new Tool.Function(
                ToolName.of(name),
                tool.text("description"),
                tool.tree("input_schema"),
                tool.flag("strict"),
                ToolName.form(null, name));
    }

    private ToolChoice toolChoice(JsonFields choice) {
        return switch (choice.requiredText("type")) {
            case "auto" -> new ToolChoice(ToolChoice.Mode.AUTO, null);
            case "none" -> new ToolChoice(ToolChoice.Mode.NONE, null);
            case "any" -> new ToolChoice(ToolChoice.Mode.REQUIRED, null);
            case "tool" -> named(choice.requiredText("name"));
            default -> throw choice.refuse("type", "expected auto, any, tool or none");
        };
    }

    private ToolChoice named(String name) {
        String function = ToolName.of(name);
        return !tools.has(function) && hostedNames.contains(name)
                ? new ToolChoice(ToolChoice.Mode.HOSTED, name)
                : new ToolChoice(ToolChoice.Mode.NAMED, function);
    }
}
