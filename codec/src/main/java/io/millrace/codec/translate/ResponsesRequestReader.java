package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads a Responses request. */
final class ResponsesRequestReader {
    private static final String ENCRYPTED_REASONING = "reasoning.encrypted_content";

    private static final String[] DROPPED = {
        "max_tool_calls",
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "service_tier",
        "store",
        "stream_options"
    };

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final CallIds ids = new CallIds();

    ResponsesRequestReader(JsonFields body) {
        this.body = body;
        this.request = ModelRequest.of(body.requiredText("model"));
    }

    ModelRequest read() {
        refuseState();
        String instructions = body.text("instructions");
        request.system(instructions == null ? "" : instructions);
        readInput();
        request.stream(body.isTrue("stream")).includeUsage(true);
        readTools();
        readSettings();
        readFormat();
        refuseRest();
        return request.build();
    }

    /** The relay keeps no answers, and no other provider knows OpenAI's. */
    private void refuseState() {
        for (String field : List.of("previous_response_id", "conversation", "prompt")) {
            if (body.has(field)) {
                throw body.refuse(field, "names what only its provider has stored: send the whole input");
            }
        }
        if (body.isTrue("background")) {
            throw body.refuse("background", "cannot be translated: nothing is stored");
        }
    }

    private void readInput() {
        if (body.isText("input")) {
            request.turn(Turn.Role.USER, List.of(new Part.Text(body.text("input"))));
            return;
        }
        if (!body.has("input")) {
            throw body.refuse("input", "is required");
        }
        body.objects("input").forEach(this::readItem);
    }

    private void readItem(JsonFields item) {
        String type = item.has("type") ? item.text("type") : "message";
        switch (type) {
            case "message" -> readMessage(item);
            case "reasoning" -> readReasoning(item);
            case "function_call" -> readCall(item);
            case "function_call_output" -> readResult(item);
            case "item_reference" -> readReference(item);
            default -> throw item.refuse("type", "cannot be translated: " + type);
        }
    }

    private void readMessage(JsonFields message) {
        String role = message.requiredText("role");
        List<Part> content = content(message, "content");
        switch (role) {
            case "user" -> request.turn(Turn.Role.USER, content);
            case "assistant" -> request.turn(Turn.Role.ASSISTANT, content);
            case "system", "developer" -> {
                for (Part part : content) {
                    if (!(part instanceof Part.Text text)) {
                        throw message.refuse("content", "expected text");
                    }
                    request.system(text.text());
                }
            }
            default -> throw message.refuse("role", "cannot be translated: " + role);
        }
    }

    /** A string, or parts. */
    private static List<Part> content(JsonFields item, String key) {
        List<Part> parts = new ArrayList<>();
        if (item.isText(key)) {
            addText(parts, item.text(key));
            return parts;
        }
        for (JsonFields part : item.objects(key)) {
            String type = part.requiredText("type");
            switch (type) {
                case "input_text", "output_text", "text" -> addText(parts, part.requiredText("text"));
                case "refusal" -> addText(parts, part.requiredText("refusal"));
                case "input_image" -> parts.add(image(part));
                case "input_file" -> parts.add(document(part));
                default -> throw part.refuse("type", "cannot be translated: " + type);
            }
        }
        return parts;
    }

    private static void addText(List<Part> parts, String text) {
        if (!text.isEmpty()) {
            parts.add(new Part.Text(text));
        }
    }

    private static Part image(JsonFields part) {
        refuseFileId(part);
        return DataUrl.image(part.requiredText("image_url"), part.text("detail"));
    }

    private static Part document(JsonFields part) {
        refuseFileId(part);
        if (part.has("file_url")) {
            return new Part.Document(null, null, part.text("file_url"), part.text("filename"));
        }
        DataUrl data = DataUrl.parse(part.requiredText("file_data"));
        if (data == null) {
            throw part.refuse("file_data", "expected a data: URL in Base64");
        }
        return new Part.Document(data.mediaType(), data.data(), null, part.text("filename"));
    }

    private static void refuseFileId(JsonFields part) {
        if (part.has("file_id")) {
            throw part.refuse("file_id", "a file at a provider is not known to another: send its data");
        }
    }

    private void readReasoning(JsonFields item) {
        StringBuilder text = new StringBuilder();
        for (String key : List.of("summary", "content")) {
            for (JsonFields part : item.objects(key)) {
                String more = part.text("text");
                text.append(text.isEmpty() ? "" : "\n\n").append(more == null ? "" : more);
            }
        }
        String encrypted = item.text("encrypted_content");
        Seal seal = null;
        if (encrypted != null) {
            Seal foreign = Seal.decode(encrypted);
            String id = item.text("id");
            seal = foreign == null ? new Seal(Dialect.RESPONSES, id == null ? "" : id, encrypted) : foreign;
        }
        if (seal != null || !text.isEmpty()) {
            request.turn(Turn.Role.ASSISTANT, List.of(new Part.Reasoning(text.toString(), seal)));
        }
    }

    private void readCall(JsonFields item) {
        CallIds.Carried id = ids.decode(item, "call_id");
        String arguments = item.has("arguments") ? item.text("arguments") : "";
        request.turn(
                Turn.Role.ASSISTANT,
                List.of(new Part.ToolCall(id.id(), item.requiredText("name"), arguments, id.seal())));
    }

    private void readResult(JsonFields item) {
        String callId = CallIds.plain(item.requiredText("call_id"));
        request.turn(Turn.Role.USER, List.of(new Part.ToolResult(callId, content(item, "output"), false)));
    }

    /** Reasoning may be missing, the rest of a conversation may not. */
    private static void readReference(JsonFields item) {
        if (!item.requiredText("id").startsWith("rs_")) {
            throw item.refuse("id", "names what only its provider has stored: set store to false, or send the item");
        }
    }

    private void readTools() {
        List<Tool> tools = new ArrayList<>();
        for (JsonFields tool : body.objects("tools")) {
            String type = tool.requiredText("type");
            if (!type.equals("function")) {
                throw tool.refuse("type", "cannot be translated: " + type);
            }
            tools.add(new Tool(
                    tool.requiredText("name"), tool.text("description"), tool.tree("parameters"), tool.flag("strict")));
        }
        Set<String> allowed = readToolChoice();
        tools.stream()
                .filter(tool -> allowed.isEmpty() || allowed.contains(tool.name()))
                .forEach(request::tool);
        request.parallelTools(body.flag("parallel_tool_calls"));
    }

    /** The tools that may be called, if not all may be. */
    private Set<String> readToolChoice() {
        if (!body.has("tool_choice")) {
            return Set.of();
        }
        if (body.isText("tool_choice")) {
            request.toolChoice(toolChoice(body, "tool_choice"));
            return Set.of();
        }
        JsonFields choice = body.requiredObject("tool_choice");
        switch (choice.requiredText("type")) {
            case "function" -> {
                request.toolChoice(new ToolChoice(ToolChoice.Mode.NAMED, choice.requiredText("name")));
                return Set.of();
            }
            case "allowed_tools" -> {
                request.toolChoice(toolChoice(choice, "mode"));
                return choice.objects("tools").stream()
                        .map(tool -> tool.requiredText("name"))
                        .collect(Collectors.toSet());
            }
            default -> throw choice.refuse("type", "cannot be translated: " + choice.text("type"));
        }
    }

    private static ToolChoice toolChoice(JsonFields fields, String key) {
        return switch (fields.requiredText(key)) {
            case "auto" -> new ToolChoice(ToolChoice.Mode.AUTO, null);
            case "none" -> new ToolChoice(ToolChoice.Mode.NONE, null);
            case "required" -> new ToolChoice(ToolChoice.Mode.REQUIRED, null);
            default -> throw fields.refuse(key, "expected auto, none or required");
        };
    }

    private void readSettings() {
        request.maxTokens(body.integer("max_output_tokens"));
        request.sampling(
                new Sampling(body.number("temperature"), body.number("top_p"), null, null, null, null, List.of()));
        JsonFields reasoning = body.object("reasoning");
        if (reasoning != null) {
            String effort = reasoning.text("effort");
            boolean none = "none".equals(effort);
            boolean shown = reasoning.has("summary") || reasoning.has("generate_summary");
            if (effort != null || shown) {
                request.thinking(new Thinking(!none, none ? null : effort, null, shown));
            }
        }
        String olderUser = body.text("user");
        String user = body.text("safety_identifier");
        request.user(user == null ? olderUser : user);
    }

    private void readFormat() {
        JsonFields text = body.object("text");
        JsonFields format = text == null ? null : text.object("format");
        if (format == null) {
            return;
        }
        String type = format.requiredText("type");
        switch (type) {
            case "text" -> request.format(null);
            case "json_object" -> request.format(new OutputFormat(null, null, null, null));
            case "json_schema" ->
                request.format(new OutputFormat(
                        format.text("name"), format.text("description"), format.tree("schema"), format.flag("strict")));
            default -> throw format.refuse("type", "cannot be translated: " + type);
        }
    }

    private void refuseRest() {
        int at = 0;
        for (String included : body.texts("include")) {
            if (!included.equals(ENCRYPTED_REASONING)) {
                throw body.refuse("include[" + at + "]", "cannot be translated: " + included);
            }
            at++;
        }
        String truncation = body.text("truncation");
        if (truncation != null && !truncation.equals("disabled")) {
            throw body.refuse("truncation", "cannot be translated: " + truncation);
        }
        Long logprobs = body.integer("top_logprobs");
        if (logprobs != null && logprobs != 0) {
            throw body.refuse("top_logprobs", "cannot be translated");
        }
        body.drop(DROPPED);
        body.refuseOthers();
    }
}
