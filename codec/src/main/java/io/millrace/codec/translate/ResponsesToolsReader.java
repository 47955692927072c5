package io.millrace.codec.translate;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the tools of a Responses request, and the choice of tools. */
final class ResponsesToolsReader {
    private static final int MAX_REPEATED = 65_536;
    /**
     * The longest namespace. Each function of a namespace repeats its name, so a long name would be read many times.
     */
    private static final int MAX_NAMESPACE = 256;

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final ToolList tools = new ToolList();
    private int repeated;

    ResponsesToolsReader(JsonFields body, ModelRequest.Builder request) {
        this.body = body;
        this.request = request;
    }

    /** Reads the tools of the body. The conversation may have further tools. */
    void read() {
        addAll(body);
    }

    /** Adds the tools under {@code tools} of an object. */
    void addAll(JsonFields fields) {
        for (JsonFields tool : fields.objects("tools")) {
            add(tool, null, null);
        }
    }

    /** Reads the choice, and adds the tools to the request. No further tools come. */
    void end() {
        readChoice();
        tools.into(request);
        request.parallelTools(body.flag("parallel_tool_calls"));
    }

    private void add(JsonFields tool, @Nullable String namespace, @Nullable String about) {
        String type = tool.requiredText("type");
        switch (type) {
            case "function" -> tools.add(described(Tool.Function.read(tool, "parameters", namespace), about));
            case "custom" -> tools.add(described(CustomTools.read(tool, namespace), about));
            case "namespace" -> {
                String group = tool.requiredText("name");
                if (group.length() > MAX_NAMESPACE) {
                    throw tool.refuse("name", "is longer than " + MAX_NAMESPACE + " characters");
                }
                for (JsonFields member : tool.objects("tools")) {
                    add(member, group, tool.text("description"));
                }
            }
            default -> {
                Tool.Function known = clientRun(type, tool);
                tools.add(known == null ? hosted(type, tool) : known);
            }
        }
    }

    /**
     * The function with the description of its namespace before its own. A request must not grow by more than
     * {@value #MAX_REPEATED} characters, so a long description is not always repeated.
     */
    private Tool.Function described(Tool.Function tool, @Nullable String about) {
        if (about == null || about.isBlank() || repeated + about.length() > MAX_REPEATED) {
            return tool;
        }
        repeated += about.length();
        String own = tool.description() == null ? "" : "\n\n" + tool.description();
        return new Tool.Function(tool.name(), about + own, tool.parameters(), tool.strict(), tool.form());
    }

    private Tool.Hosted hosted(String type, JsonFields tool) {
        HostedKind kind = kindOf(type);
        HostedSettings settings = new HostedSettings();
        if (kind == HostedKind.WEB_SEARCH) {
            JsonFields filters = tool.object("filters");
            if (filters != null) {
                settings.domains(filters, "allowed_domains", HostedSetting.Key.ALLOWED_DOMAINS)
                        .domains(filters, "blocked_domains", HostedSetting.Key.BLOCKED_DOMAINS)
                        .others(filters);
            }
            settings.location(tool, "user_location").word(tool, "search_context_size", HostedSetting.Key.CONTEXT_SIZE);
            boolean live = tool.tree().path("external_web_access").asBoolean();
            settings.others(tool, live ? new String[] {"type", "external_web_access"} : new String[] {"type"});
        } else if (kind == HostedKind.CODE) {
            if (tool.isText("container")) {
                settings.word(tool, "container", HostedSetting.Key.OTHER);
            } else if (tool.has("container")) {
                settings.others(tool.requiredObject("container"), "type", "memory_limit");
            }
            settings.others(tool, "type");
        }
        if (kind != HostedKind.OTHER) {
            settings.number(body, "max_tool_calls", HostedSetting.Key.MAX_USES);
        }
        return new Tool.Hosted(kind, type, tool.path("type"), settings.list());
    }

    private static HostedKind kindOf(String type) {
        return type.startsWith("web_search")
                ? HostedKind.WEB_SEARCH
                : type.equals("code_interpreter") ? HostedKind.CODE : HostedKind.OTHER;
    }

    /** The function for a tool without a schema that the client runs; null if the provider runs it. */
    private static Tool.@Nullable Function clientRun(String type, JsonFields tool) {
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
        boolean function = tools.has(name)
                || (choice.has("name") && !choice.requiredText("type").equals("mcp"));
        request.toolChoice(function ? ToolChoice.named(name) : ToolChoice.hosted(hostedType(name)));
    }

    /** The type of a hosted tool in the list of tools. A choice may have another type of the same kind. */
    private String hostedType(String named) {
        HostedKind kind = kindOf(named);
        return tools.hosted().stream()
                .filter(tool -> kind != HostedKind.OTHER && tool.kind() == kind)
                .map(Tool.Hosted::type)
                .findFirst()
                .orElse(named);
    }

    /** The name of the function for a tool, from the tool's name, or from its type if it has no name. */
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
            case "auto" -> ToolChoice.AUTO;
            case "none" -> ToolChoice.NONE;
            case "required" -> ToolChoice.REQUIRED;
            default -> throw fields.refuse(key, "expected auto, none or required");
        };
    }
}
