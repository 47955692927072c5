package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** Reads a Messages request. */
final class MessagesRequestReader {
    private static final String[] DROPPED = {
        "cache_control",
        "context_management",
        "diagnostics",
        "inference_geo",
        "service_tier",
        "speed",
        "user_profile_id",
        "workspace_id"
    };

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final CallIds ids = new CallIds();

    MessagesRequestReader(JsonFields body) {
        this.body = body;
        this.request = ModelRequest.of(body.requiredText("model"));
    }

    ModelRequest read() {
        readSystem(body, "system");
        if (!body.has("messages")) {
            throw body.refuse("messages", "is required");
        }
        for (JsonFields message : body.objects("messages")) {
            readMessage(message);
        }
        request.stream(body.isTrue("stream"));
        readTools();
        readSettings();
        readThinking();
        body.drop(DROPPED);
        body.refuseOthers();
        return request.build();
    }

    private void readSystem(JsonFields fields, String key) {
        if (fields.isText(key)) {
            request.system(fields.text(key));
            return;
        }
        for (JsonFields block : fields.objects(key)) {
            if (!block.requiredText("type").equals("text")) {
                throw block.refuse("type", "only text can instruct");
            }
            request.system(block.requiredText("text"));
        }
    }

    private void readMessage(JsonFields message) {
        String role = message.requiredText("role");
        switch (role) {
            case "user" -> request.turn(Turn.Role.USER, parts(message));
            case "assistant" -> request.turn(Turn.Role.ASSISTANT, parts(message));
            case "system" -> readSystem(message, "content");
            default -> throw message.refuse("role", "cannot be translated: " + role);
        }
    }

    private List<Part> parts(JsonFields message) {
        List<Part> parts = new ArrayList<>();
        if (message.isText("content")) {
            addText(parts, message.text("content"));
            return parts;
        }
        for (JsonFields block : message.objects("content")) {
            addBlock(parts, block);
        }
        return parts;
    }

    private static void addText(List<Part> parts, String text) {
        if (!text.isEmpty()) {
            parts.add(new Part.Text(text));
        }
    }

    private void addBlock(List<Part> parts, JsonFields block) {
        String type = block.requiredText("type");
        switch (type) {
            case "text" -> addText(parts, block.requiredText("text"));
            case "image" -> parts.add(image(block.requiredObject("source")));
            case "document" -> addDocument(parts, block);
            case "thinking" -> parts.add(thinking(block));
            case "redacted_thinking" -> {
                String data = block.requiredText("data");
                Seal seal = Seal.decode(data);
                parts.add(new Part.Reasoning("", seal == null ? MessagesShapes.redacted(data) : seal));
            }
            case "tool_use" -> addCall(parts, block);
            case "tool_result" -> parts.add(toolResult(block));
            default -> throw block.refuse("type", "cannot be translated: " + type);
        }
    }

    private static Part image(JsonFields source) {
        String type = source.requiredText("type");
        return switch (type) {
            case "base64" -> new Part.Image(source.requiredText("media_type"), source.requiredText("data"), null, null);
            case "url" -> new Part.Image(null, null, source.requiredText("url"), null);
            default -> throw source.refuse("type", "cannot be translated: " + type);
        };
    }

    /** A document that is text is taken as text, which every dialect has. */
    private static void addDocument(List<Part> parts, JsonFields block) {
        JsonFields source = block.requiredObject("source");
        String title = block.text("title");
        String type = source.requiredText("type");
        switch (type) {
            case "text" -> addText(parts, source.requiredText("data"));
            case "base64" ->
                parts.add(
                        new Part.Document(source.requiredText("media_type"), source.requiredText("data"), null, title));
            case "url" -> parts.add(new Part.Document(null, null, source.requiredText("url"), title));
            default -> throw source.refuse("type", "cannot be translated: " + type);
        }
    }

    private static Part thinking(JsonFields block) {
        String signature = block.text("signature");
        Seal seal = null;
        if (signature != null && !signature.isEmpty()) {
            Seal foreign = Seal.decode(signature);
            seal = foreign == null ? MessagesShapes.signature(signature) : foreign;
        }
        return new Part.Reasoning(block.requiredText("thinking"), seal);
    }

    private void addCall(List<Part> parts, JsonFields block) {
        CallIds.Carried id = ids.decode(block, "id");
        ObjectNode input = block.tree("input");
        parts.addAll(id.reasoning());
        parts.add(new Part.ToolCall(
                id.id(), block.requiredText("name"), input == null ? "{}" : input.toString(), id.seal()));
    }

    private Part toolResult(JsonFields block) {
        String id = CallIds.plain(block.requiredText("tool_use_id"));
        for (JsonFields piece : block.isText("content") ? List.<JsonFields>of() : block.objects("content")) {
            String type = piece.requiredText("type");
            if (!List.of("text", "image", "document").contains(type)) {
                throw piece.refuse("type", "cannot be translated: " + type);
            }
        }
        return new Part.ToolResult(id, parts(block), block.isTrue("is_error"));
    }

    private void readTools() {
        for (JsonFields tool : body.objects("tools")) {
            String type = tool.text("type");
            if (type != null && !type.equals("custom")) {
                throw tool.refuse("type", "a tool that the provider runs cannot be translated: " + type);
            }
            request.tool(new Tool(
                    tool.requiredText("name"),
                    tool.text("description"),
                    tool.tree("input_schema"),
                    tool.flag("strict")));
        }
        JsonFields choice = body.object("tool_choice");
        if (choice != null) {
            request.toolChoice(toolChoice(choice));
            if (choice.isTrue("disable_parallel_tool_use")) {
                request.parallelTools(false);
            }
        }
    }

    private static ToolChoice toolChoice(JsonFields choice) {
        return switch (choice.requiredText("type")) {
            case "auto" -> new ToolChoice(ToolChoice.Mode.AUTO, null);
            case "none" -> new ToolChoice(ToolChoice.Mode.NONE, null);
            case "any" -> new ToolChoice(ToolChoice.Mode.REQUIRED, null);
            case "tool" -> new ToolChoice(ToolChoice.Mode.NAMED, choice.requiredText("name"));
            default -> throw choice.refuse("type", "expected auto, any, tool or none");
        };
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
        JsonFields olderFormat = body.object("output_format");
        if (format != null || olderFormat != null) {
            request.format(format(format == null ? olderFormat : format));
        }
        JsonFields thinking = body.object("thinking");
        if (thinking == null) {
            request.thinking(effort == null ? null : new Thinking(null, effort, null, null));
            return;
        }
        String display = thinking.text("display");
        Boolean shown = display == null ? null : Boolean.valueOf(!display.equals("omitted"));
        String type = thinking.requiredText("type");
        request.thinking(
                switch (type) {
                    case "enabled" -> new Thinking(true, effort, thinking.integer("budget_tokens"), shown);
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
