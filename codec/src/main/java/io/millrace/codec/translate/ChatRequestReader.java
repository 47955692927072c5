package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Reads a Chat Completions request. */
final class ChatRequestReader {
    private static final String[] DROPPED = {
        "metadata",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "service_tier",
        "store",
        "verbosity"
    };

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final CallIds ids = new CallIds();

    ChatRequestReader(JsonFields body) {
        this.body = body;
        this.request = ModelRequest.of(body.requiredText("model"));
    }

    ModelRequest read() {
        readMessages();
        readStream();
        readTools();
        readSettings();
        readFormat();
        refuseRest();
        return request.build();
    }

    private void readMessages() {
        if (!body.has("messages")) {
            throw body.refuse("messages", "is required");
        }
        for (JsonFields message : body.objects("messages")) {
            String role = message.requiredText("role");
            switch (role) {
                case "system", "developer" -> request.system(joined(message));
                case "user" -> request.turn(Turn.Role.USER, userParts(message));
                case "assistant" -> request.turn(Turn.Role.ASSISTANT, assistantParts(message));
                case "tool" -> request.turn(Turn.Role.USER, List.of(toolResult(message)));
                default -> throw message.refuse("role", "cannot be translated: " + role);
            }
        }
    }

    private static String joined(JsonFields message) {
        StringBuilder text = new StringBuilder();
        for (Part part : texts(message)) {
            text.append(((Part.Text) part).text());
        }
        return text.toString();
    }

    /** Content that is text only: a string, or parts of text. */
    private static List<Part> texts(JsonFields message) {
        List<Part> parts = new ArrayList<>();
        if (!message.has("content")) {
            return parts;
        }
        if (message.isText("content")) {
            addText(parts, message.text("content"));
            return parts;
        }
        for (JsonFields part : message.objects("content")) {
            String type = part.requiredText("type");
            switch (type) {
                case "text" -> addText(parts, part.requiredText("text"));
                case "refusal" -> addText(parts, part.requiredText("refusal"));
                default -> throw part.refuse("type", "cannot be translated here: " + type);
            }
        }
        return parts;
    }

    private static void addText(List<Part> parts, String text) {
        if (!text.isEmpty()) {
            parts.add(new Part.Text(text));
        }
    }

    private static List<Part> userParts(JsonFields message) {
        if (message.isText("content")) {
            return texts(message);
        }
        List<Part> parts = new ArrayList<>();
        for (JsonFields part : message.objects("content")) {
            String type = part.requiredText("type");
            switch (type) {
                case "text" -> addText(parts, part.requiredText("text"));
                case "image_url" -> {
                    JsonFields image = part.requiredObject("image_url");
                    parts.add(DataUrl.image(image.requiredText("url"), image.text("detail")));
                }
                case "file" -> parts.add(document(part.requiredObject("file")));
                default -> throw part.refuse("type", "cannot be translated: " + type);
            }
        }
        return parts;
    }

    private static Part document(JsonFields file) {
        if (file.has("file_id")) {
            throw file.refuse("file_id", "a file at a provider is not known to another: send file_data");
        }
        DataUrl data = DataUrl.parse(file.requiredText("file_data"));
        if (data == null) {
            throw file.refuse("file_data", "expected a data: URL in Base64");
        }
        return new Part.Document(data.mediaType(), data.data(), null, file.text("filename"));
    }

    private List<Part> assistantParts(JsonFields message) {
        for (String key : List.of("audio", "function_call")) {
            if (message.has(key)) {
                throw message.refuse(key, "cannot be translated");
            }
        }
        List<Part> parts = texts(message);
        String refusal = message.text("refusal");
        if (refusal != null) {
            addText(parts, refusal);
        }
        boolean carried = addCalls(parts, message);
        if (!carried) {
            addPlainReasoning(parts, message);
        }
        return parts;
    }

    /** Adds the calls, and the reasoning that their ids carry; whether they carry any. */
    private boolean addCalls(List<Part> parts, JsonFields message) {
        boolean carried = false;
        boolean first = true;
        for (JsonFields call : message.objects("tool_calls")) {
            if (!"function".equals(call.has("type") ? call.text("type") : "function")) {
                throw call.refuse("type", "cannot be translated: " + call.text("type"));
            }
            JsonFields function = call.requiredObject("function");
            CallIds.Carried id = ids.decode(call, "id");
            parts.addAll(first ? 0 : parts.size(), id.reasoning());
            carried |= !id.reasoning().isEmpty();
            first = false;
            String arguments = function.has("arguments") ? function.text("arguments") : "";
            parts.add(new Part.ToolCall(id.id(), function.requiredText("name"), arguments, id.seal()));
        }
        return carried;
    }

    private static void addPlainReasoning(List<Part> parts, JsonFields message) {
        for (String field : ChatShapes.REASONING_FIELDS) {
            if (message.isText(field) && !message.text(field).isEmpty()) {
                parts.add(0, new Part.Reasoning(message.text(field), null));
                return;
            }
        }
    }

    private static Part toolResult(JsonFields message) {
        String id = CallIds.plain(message.requiredText("tool_call_id"));
        return new Part.ToolResult(id, texts(message), false);
    }

    private void readStream() {
        request.stream(body.isTrue("stream"));
        JsonFields options = body.object("stream_options");
        request.includeUsage(options != null && options.isTrue("include_usage"));
    }

    private void readTools() {
        for (JsonFields tool : body.objects("tools")) {
            String type = tool.requiredText("type");
            if (!type.equals("function")) {
                throw tool.refuse("type", "cannot be translated: " + type);
            }
            JsonFields function = tool.requiredObject("function");
            request.tool(new Tool(
                    function.requiredText("name"),
                    function.text("description"),
                    function.tree("parameters"),
                    function.flag("strict")));
        }
        request.toolChoice(toolChoice());
        request.parallelTools(body.flag("parallel_tool_calls"));
    }

    private ToolChoice toolChoice() {
        if (!body.has("tool_choice")) {
            return null;
        }
        if (body.isText("tool_choice")) {
            return switch (body.text("tool_choice")) {
                case "auto" -> new ToolChoice(ToolChoice.Mode.AUTO, null);
                case "none" -> new ToolChoice(ToolChoice.Mode.NONE, null);
                case "required" -> new ToolChoice(ToolChoice.Mode.REQUIRED, null);
                default -> throw body.refuse("tool_choice", "expected auto, none, required or a function");
            };
        }
        JsonFields choice = body.requiredObject("tool_choice");
        if (!choice.requiredText("type").equals("function")) {
            throw choice.refuse("type", "cannot be translated: " + choice.text("type"));
        }
        return new ToolChoice(
                ToolChoice.Mode.NAMED, choice.requiredObject("function").requiredText("name"));
    }

    private void readSettings() {
        Long limit = body.integer("max_completion_tokens");
        Long olderLimit = body.integer("max_tokens");
        request.maxTokens(limit == null ? olderLimit : limit);
        request.sampling(new Sampling(
                body.number("temperature"),
                body.number("top_p"),
                body.integer("top_k"),
                body.integer("seed"),
                body.number("presence_penalty"),
                body.number("frequency_penalty"),
                body.texts("stop")));
        String effort = body.text("reasoning_effort");
        if (effort != null) {
            boolean none = effort.equals("none");
            request.thinking(new Thinking(!none, none ? null : effort, null, null));
        }
        String olderUser = body.text("user");
        String user = body.text("safety_identifier");
        request.user(user == null ? olderUser : user);
    }

    private void readFormat() {
        JsonFields format = body.object("response_format");
        if (format == null) {
            return;
        }
        String type = format.requiredText("type");
        switch (type) {
            case "text" -> request.format(null);
            case "json_object" -> request.format(new OutputFormat(null, null, null, null));
            case "json_schema" -> {
                JsonFields schema = format.requiredObject("json_schema");
                request.format(new OutputFormat(
                        schema.text("name"), schema.text("description"), schema.tree("schema"), schema.flag("strict")));
            }
            default -> throw format.refuse("type", "cannot be translated: " + type);
        }
    }

    private void refuseRest() {
        Long choices = body.integer("n");
        if (choices != null && choices != 1) {
            throw body.refuse("n", "only one choice can be translated");
        }
        if (body.isTrue("logprobs")) {
            throw body.refuse("logprobs", "cannot be translated");
        }
        JsonNode modalities = body.any("modalities");
        if (modalities != null
                && !(modalities.size() == 1 && modalities.path(0).asText().equals("text"))) {
            throw body.refuse("modalities", "only text can be translated");
        }
        JsonNode bias = body.any("logit_bias");
        if (bias != null && !bias.isEmpty()) {
            throw body.refuse("logit_bias", "cannot be translated");
        }
        body.drop(DROPPED);
        body.refuseOthers();
    }
}
