package io.millrace.codec.translate;

import java.util.HashSet;
import java.util.Set;

/** Reads the tools of a Responses request, and the choice of them. */
final class ResponsesToolsReader {
    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final ToolList tools = new ToolList();

    ResponsesToolsReader(JsonFields body, ModelRequest.Builder request) {
        this.body = body;
        this.request = request;
    }

    /** All that have not been added by then follow: a conversation may bring more tools. */
    void read() {
        addAll(body);
    }

    /** Adds the tools under {@code tools} of an object. */
    void addAll(JsonFields fields) {
        for (JsonFields tool : fields.objects("tools")) {
            add(tool, null);
        }
    }

    /** No more tools come: now the choice can be read. */
    void end() {
        readChoice();
        tools.into(request);
        request.parallelTools(body.flag("parallel_tool_calls"));
    }

    private void add(JsonFields tool, String namespace) {
        String type = tool.requiredText("type");
        switch (type) {
            case "function" -> tools.add(function(tool, namespace));
            case "custom" -> tools.add(CustomTools.read(tool, namespace));
            case "namespace" -> {
                String group = tool.requiredText("name");
                for (JsonFields member : tool.objects("tools")) {
                    add(member, group);
                }
            }
            default -> {
                Tool.Function known = clientRun(type, tool);
                if (known == null) {
                    tools.addHosted(type, tool.path("type"), tool.tree());
                } else {
                    tools.add(known);
                }
            }
        }
    }

    private static Tool.Function function(JsonFields tool, String namespace) {
        String name = tool.requiredText("name");
        return new Tool.Function(
                ToolName.of(namespace, name),
                tool.text("description"),
                tool.tree("parameters"),
                tool.flag("strict"),
                ToolName.form(namespace, name));
    }

    /** The function for a tool that has no schema of its own but is run by the client; null if its provider runs it. */
    private static Tool.Function clientRun(String type, JsonFields tool) {
        return switch (type) {
            case "local_shell" -> ClientTools.localShell();
            case "apply_patch" -> ClientTools.applyPatch();
            case "computer", "computer_use_preview" -> ClientTools.computer();
            case "shell" -> {
                JsonFields environment = tool.object("environment");
                boolean local = environment == null || "local".equals(environment.text("type"));
                yield local ? ClientTools.shell() : null;
            }
            case "tool_search" -> "client".equals(tool.text("execution")) ? ClientTools.toolSearch(tool) : null;
            default -> null;
        };
    }

    private void readChoice() {
        if (!body.has("tool_choice")) {
            return;
        }
        if (body.isText("tool_choice")) {
            request.toolChoice(mode(body, "tool_choice"));
            return;
        }
        JsonFields choice = body.requiredObject("tool_choice");
        if (choice.requiredText("type").equals("allowed_tools")) {
            request.toolChoice(mode(choice, "mode"));
            Set<String> names = new HashSet<>();
            choice.objects("tools").forEach(tool -> names.add(nameOf(tool)));
            tools.allow(names);
            return;
        }
        String name = nameOf(choice);
        boolean function =
                tools.has(name) || (choice.has("name") && !choice.text("type").equals("mcp"));
        request.toolChoice(new ToolChoice(function ? ToolChoice.Mode.NAMED : ToolChoice.Mode.HOSTED, name));
    }

    /** The function for a tool that is named by its name, or by its type if it needs none. */
    private static String nameOf(JsonFields tool) {
        String type = tool.requiredText("type");
        return switch (type) {
            case "function", "custom" -> ToolName.of(tool.text("namespace"), tool.requiredText("name"));
            case "computer_use_preview", "computer_use" -> ClientTools.COMPUTER;
            default -> type;
        };
    }

    private static ToolChoice mode(JsonFields fields, String key) {
        return switch (fields.requiredText(key)) {
            case "auto" -> new ToolChoice(ToolChoice.Mode.AUTO, null);
            case "none" -> new ToolChoice(ToolChoice.Mode.NONE, null);
            case "required" -> new ToolChoice(ToolChoice.Mode.REQUIRED, null);
            default -> throw fields.refuse(key, "expected auto, none or required");
        };
    }
}
