package io.millrace.codec.translate;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Reads the tools of a Messages request, and the choice of tools. */
final class MessagesToolsReader {
    private static final String SERVERS = "mcp_servers";

    /** Fields of every tool that are ignored, and fields that say how it is offered. */
    private static final String[] PASSED_OVER = {
        "type", "name", "cache_control", "allowed_callers", "defer_loading", "strict", "citations"
    };

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final ToolList tools = new ToolList();

    /** The toolsets so far. Each has many functions, and is read once. */
    private final Set<String> toolsets = new HashSet<>();

    /** The types of the provider's tools, by their names. */
    private final Map<String, String> hostedTypes = new HashMap<>();

    MessagesToolsReader(JsonFields body, ModelRequest.Builder request) {
        this.body = body;
        this.request = request;
    }

    void read() {
        body.objects("tools").forEach(this::readTool);
        if (!body.objects(SERVERS).isEmpty()) {
            tools.addHosted(SERVERS, SERVERS);
        }
        JsonFields choice = body.object("tool_choice");
        if (choice != null) {
            request.toolChoice(toolChoice(choice));
            if (choice.isTrue("disable_parallel_tool_use")) {
                request.parallelTools(false);
            }
        }
    }

    /** Reads a tool of the list, or one that a later message adds. */
    void readTool(JsonFields tool) {
        String type = tool.text("type");
        if (type == null || type.equals("custom") || tool.has("input_schema")) {
            tools.add(Tool.Function.read(tool, "input_schema", null));
            return;
        }
        Tool.Function known = ClientTools.ofMessages(type, tool);
        if (known != null) {
            tools.add(known);
            return;
        }
        if (Toolsets.isKnown(type)) {
            if (toolsets.add(Toolsets.group(type))) {
                Toolsets.addAll(type, tool, tools);
            }
            return;
        }
        tools.add(hosted(type, tool));
        String name = tool.text("name");
        if (name != null) {
            hostedTypes.putIfAbsent(name, type);
        }
    }

    private static Tool.Hosted hosted(String type, JsonFields tool) {
        HostedKind kind = type.startsWith("web_search_2")
                ? HostedKind.WEB_SEARCH
                : type.startsWith("web_fetch_2")
                        ? HostedKind.WEB_FETCH
                        : type.startsWith("code_execution_2") ? HostedKind.CODE : HostedKind.OTHER;
        HostedSettings settings = new HostedSettings();
        if (kind != HostedKind.OTHER) {
            settings.domains(tool, "allowed_domains", HostedSetting.Key.ALLOWED_DOMAINS)
                    .domains(tool, "blocked_domains", HostedSetting.Key.BLOCKED_DOMAINS)
                    .location(tool, "user_location")
                    .number(tool, "max_uses", HostedSetting.Key.MAX_USES)
                    .others(tool, PASSED_OVER);
        }
        return new Tool.Hosted(kind, type, tool.path("type"), settings.list());
    }

    /** Adds the tools to the request. No further tools come. */
    void end() {
        tools.into(request);
    }

    private ToolChoice toolChoice(JsonFields choice) {
        return switch (choice.requiredText("type")) {
            case "auto" -> ToolChoice.AUTO;
            case "none" -> ToolChoice.NONE;
            case "any" -> ToolChoice.REQUIRED;
            case "tool" -> named(choice.requiredText("name"));
            default -> throw choice.refuse("type", "expected auto, any, tool or none");
        };
    }

    private ToolChoice named(String name) {
        String function = ToolName.of(name);
        String hosted = tools.has(function) ? null : hostedTypes.get(name);
        return hosted != null ? ToolChoice.hosted(hosted) : ToolChoice.named(function);
    }
}
