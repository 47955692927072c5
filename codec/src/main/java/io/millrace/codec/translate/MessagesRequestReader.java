package io.millrace.codec.translate;

/** Reads a Messages request. */
final class MessagesRequestReader {
    /** Hints, and fields that say how the provider handles the request. */
    private static final String[] IGNORED = {
        "anthropic_beta",
        "anthropic_version",
        "betas",
        "billing_policy",
        "cache_control",
        "context_management",
        "diagnostics",
        "fallback_credit_token",
        "fallbacks",
        "inference_geo",
        "service_tier",
        "speed",
        "user_profile_id",
        "workspace_id"
    };

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final MessagesBlocks blocks = new MessagesBlocks();
    private final MessagesToolsReader tools;

    MessagesRequestReader(JsonFields body) {
        this.body = body;
        this.request = ModelRequest.of(body.requiredText("model"));
        this.tools = new MessagesToolsReader(body, request);
    }

    ModelRequest read() {
        tools.read();
        readSystem(body, "system");
        for (JsonFields message : body.requiredObjects("messages")) {
            readMessage(message);
        }
        request.stream(body.isTrue("stream"));
        tools.end();
        readSettings();
        readThinking();
        body.refuseAny("compaction", "container", "thread");
        body.ignore(IGNORED);
        body.dropOthers();
        return request.dropped(body.dropped()).build();
    }

    private void readSystem(JsonFields fields, String key) {
        if (fields.isText(key)) {
            request.system(fields.requiredText(key));
            return;
        }
        for (JsonFields block : fields.objects(key)) {
            switch (block.requiredText("type")) {
                case "text" -> request.system(block.requiredText("text"));
                case "tool_addition" -> addTool(block.requiredObject("tool"));
                case "tool_removal" -> removeTool(block.requiredObject("tool"));
                default -> throw block.refuse("type", "only text can instruct");
            }
        }
    }

    /** Adds a tool, or nothing for a mere reference: the tool is in the request's list, and all of these are sent. */
    private void addTool(JsonFields tool) {
        if (tool.has("input_schema")) {
            tools.readTool(tool);
        } else if (tool.has("definition")) {
            tools.readTool(tool.requiredObject("definition"));
        }
    }

    private void removeTool(JsonFields tool) {
        String name = tool.text(tool.has("name") ? "name" : "server_name");
        if (name != null) {
            request.system("The tool " + name + " must no longer be used.");
        }
    }

    private void readMessage(JsonFields message) {
        String role = message.requiredText("role");
        switch (role) {
            case "user" -> request.turn(Turn.Role.USER, blocks.parts(message, "content"));
            case "assistant" -> request.turn(Turn.Role.ASSISTANT, blocks.parts(message, "content"));
            case "system" -> readSystem(message, "content");
            default -> throw message.refuse("role", "cannot be translated: " + role);
        }
    }

    private void readSettings() {
        request.maxTokens(body.integer("max_tokens"));
        request.sampling(new Sampling(
                body.number("temperature"),
                body.number("top_p"),
                body.integer("top_k"),
                null,
                null,
                null,
                body.texts("stop_sequences")));
        JsonFields metadata = body.object("metadata");
        request.user(metadata == null ? null : metadata.text("user_id"));
    }

    private void readThinking() {
        JsonFields output = body.object("output_config");
        String effort = output == null ? null : output.text("effort");
        JsonFields format = output == null ? null : output.object("format");
        if (output != null) {
            output.ignore("task_budget");
            output.dropOthers();
        }
        JsonFields olderFormat = body.object("output_format");
        JsonFields asked = format == null ? olderFormat : format;
        if (asked != null) {
            request.format(format(asked));
        }
        JsonFields thinking = body.object("thinking");
        if (thinking == null) {
            request.thinking(effort == null ? null : new Thinking(null, effort, null, null));
            return;
        }
        String display = thinking.text("display");
        Boolean shown = display == null ? null : Boolean.valueOf(!display.equals("omitted"));
        String type = thinking.requiredText("type");
        Long budget = thinking.integer("budget_tokens");
        thinking.ignore("between_tools");
        thinking.dropOthers();
        request.thinking(
                switch (type) {
                    case "enabled" -> new Thinking(true, effort, budget, shown);
                    case "adaptive", "between_tools" -> new Thinking(true, effort, null, shown);
                    case "disabled" -> new Thinking(false, null, null, null);
                    default -> throw thinking.refuse("type", "cannot be translated: " + type);
                });
    }

    private static OutputFormat format(JsonFields format) {
        String type = format.requiredText("type");
        if (!type.equals("json_schema")) {
            throw format.refuse("type", "cannot be translated: " + type);
        }
        return new OutputFormat(null, null, format.requiredObject("schema").tree(), true);
    }
}
