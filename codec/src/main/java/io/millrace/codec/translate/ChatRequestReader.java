package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads a Chat Completions request. */
final class ChatRequestReader {
    /** Hints, and fields that say how the provider handles the request. */
    private static final String[] IGNORED = {
        "metadata",
        "models",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "provider",
        "route",
        "separate_reasoning",
        "service_tier",
        "store",
        "stream_reasoning",
        "transforms",
        "verbosity"
    };

    /** Fields of OpenAI and compatible servers that change the answer. */
    private static final String[] REFUSED = {
        "audio",
        "bad_words",
        "grammar",
        "guided_choice",
        "guided_grammar",
        "guided_json",
        "guided_regex",
        "ignore_eos",
        "logit_bias",
        "logprobs",
        "stop_token_ids",
        "structured_outputs",
        "use_beam_search"
    };

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final CallIds ids = new CallIds();

    /** The number of legacy calls so far, the last one of each name, and how many have their results. */
    private int legacyCalls;

    private final Map<String, Integer> lastLegacyCalls = new HashMap<>();
    private int legacyAnswered;

    ChatRequestReader(JsonFields body) {
        this.body = body;
        this.request = ModelRequest.of(body.requiredText("model"));
    }

    ModelRequest read() {
        readMessages();
        readStream();
        new ChatToolsReader(body, request).read();
        readSettings();
        readFormat();
        refuseRest();
        body.dropOthers();
        return request.dropped(body.dropped()).build();
    }

    private void readMessages() {
        for (JsonFields message : body.requiredObjects("messages")) {
            String role = message.requiredText("role");
            switch (role) {
                case "system", "developer" -> request.system(joined(message));
                case "user" -> request.turn(Turn.Role.USER, parts(message));
                case "assistant" -> request.turn(Turn.Role.ASSISTANT, assistantParts(message));
                case "tool" -> request.turn(Turn.Role.USER, List.of(toolResult(message)));
                case "function" -> request.turn(Turn.Role.USER, legacyResult(message));
                default -> throw message.refuse("role", "cannot be translated: " + role);
            }
        }
    }

    private static String joined(JsonFields message) {
        StringBuilder text = new StringBuilder();
        for (Part part : parts(message)) {
            if (!(part instanceof Part.Text said)) {
                throw message.refuse("content", "only text can instruct");
            }
            text.append(said.text());
        }
        return text.toString();
    }

    /** Reads content: a string, or parts. OpenAI allows only text in most places, and compatible servers allow more. */
    private static List<Part> parts(JsonFields message) {
        List<Part> parts = new ArrayList<>();
        if (message.isText("content")) {
            Part.Text.add(parts, message.requiredText("content"));
            return parts;
        }
        for (JsonFields part : message.objects("content")) {
            String type = part.requiredText("type");
            switch (type) {
                case "text" -> Part.Text.add(parts, part.requiredText("text"));
                case "refusal" -> Part.Text.add(parts, part.requiredText("refusal"));
                case "image_url" -> parts.add(image(part));
                case "file" -> parts.add(document(part.requiredObject("file")));
                case "thinking" -> parts.add(new Part.Reasoning(thought(part), null));
                default -> throw part.refuse("type", "cannot be translated: " + type);
            }
        }
        return parts;
    }

    private static Part image(JsonFields part) {
        if (part.isText("image_url")) {
            return DataUrl.image(part.requiredText("image_url"), null);
        }
        JsonFields image = part.requiredObject("image_url");
        return DataUrl.image(image.requiredText("url"), image.text("detail"));
    }

    private static Part document(JsonFields file) {
        if (file.has("file_id")) {
            throw file.refuse("file_id", "a file at a provider is not known to another: send file_data");
        }
        return DataUrl.document(file, "file_data", "filename");
    }

    /** The text of Mistral's {@code {"type": "thinking", "thinking": [{"type": "text", "text": ".."}]}}. */
    private static String thought(JsonFields part) {
        StringBuilder text = new StringBuilder();
        for (JsonFields piece : part.objects("thinking")) {
            text.append(piece.text("text", ""));
        }
        return text.toString();
    }

    private List<Part> assistantParts(JsonFields message) {
        message.refuseAny("audio");
        List<Part> parts = parts(message);
        for (JsonFields image : message.objects("images")) {
            parts.add(image(image));
        }
        Part.Text.add(parts, message.text("refusal", ""));
        boolean carried = addCalls(parts, message);
        if (!carried) {
            addPlainReasoning(parts, message);
        }
        addLegacyCall(parts, message);
        return parts;
    }

    /** Adds the calls, and the reasoning that their ids carry. Returns whether they carry any. */
    private boolean addCalls(List<Part> parts, JsonFields message) {
        boolean carried = false;
        boolean first = true;
        for (JsonFields call : message.objects("tool_calls")) {
            CallIds.Carried id = ids.decode(call, "id");
            parts.addAll(first ? 0 : parts.size(), id.reasoning());
            carried |= !id.reasoning().isEmpty();
            first = false;
            parts.add(call(call, id));
        }
        return carried;
    }

    private static Part call(JsonFields call, CallIds.Carried id) {
        String type = call.text("type", "function");
        return switch (type) {
            case "function" -> {
                JsonFields function = call.requiredObject("function");
                String name = ToolName.of(function.requiredText("name"));
                yield new Part.ToolCall(id.id(), name, function.json("arguments"), id.seal());
            }
            case "custom" -> {
                JsonFields custom = call.requiredObject("custom");
                String input = custom.text("input", "");
                String name = ToolName.of(custom.requiredText("name"));
                yield new Part.ToolCall(id.id(), name, CallForm.customArguments(input), id.seal());
            }
            default -> throw call.refuse("type", "cannot be translated: " + type);
        };
    }

    /**
     * Adds a legacy call. It has no id, so it gets one from its position, which is the same whenever the conversation
     * is sent again.
     */
    private void addLegacyCall(List<Part> parts, JsonFields message) {
        JsonFields call = message.object("function_call");
        if (call != null) {
            String name = ToolName.of(call.requiredText("name"));
            parts.add(new Part.ToolCall(legacyId(legacyCalls), name, call.json("arguments"), null));
            lastLegacyCalls.put(name, legacyCalls++);
        }
    }

    private static String legacyId(int place) {
        return "call_" + place;
    }

    /** The result of the last call of that name, or the result's text if there is no such call. */
    private List<Part> legacyResult(JsonFields message) {
        String given = message.requiredText("name");
        String name = ToolName.of(given);
        List<Part> content = parts(message);
        int last = lastLegacyCalls.getOrDefault(name, -1);
        if (last >= legacyAnswered) {
            legacyAnswered = last + 1;
            return List.of(new Part.ToolResult(legacyId(last), content, false));
        }
        content.add(0, new Part.Text("Result of " + given + ": "));
        return content;
    }

    private static void addPlainReasoning(List<Part> parts, JsonFields message) {
        for (String field : ChatShapes.REASONING_FIELDS) {
            String reasoning = message.isText(field) ? message.requiredText(field) : "";
            if (!reasoning.isEmpty()) {
                parts.add(0, new Part.Reasoning(reasoning, null));
                return;
            }
        }
    }

    private static Part toolResult(JsonFields message) {
        String id = CallIds.plain(message.requiredText("tool_call_id"));
        return new Part.ToolResult(id, parts(message), false);
    }

    private void readStream() {
        request.stream(body.isTrue("stream"));
        JsonFields options = body.object("stream_options");
        JsonFields older = body.object("usage");
        boolean asked = options != null && options.isTrue("include_usage");
        request.includeUsage(asked || (older != null && older.isTrue("include")));
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
        request.thinking(ChatReasoning.read(body));
        String olderUser = body.text("user");
        String user = body.text("safety_identifier");
        request.user(user == null ? olderUser : user);
    }

    private void readFormat() {
        JsonFields format = body.object("response_format");
        if (format != null) {
            request.format(OutputFormat.read(format, "json_schema"));
        }
    }

    private void refuseRest() {
        Long choices = body.integer("n");
        if (choices != null && choices != 1) {
            throw body.refuse("n", "only one choice can be translated");
        }
        JsonNode modalities = body.any("modalities");
        if (modalities != null
                && !(modalities.size() == 1 && modalities.path(0).asText().equals("text"))) {
            throw body.refuse("modalities", "only text can be translated");
        }
        body.refuseAny(REFUSED);
        body.refuseUnless("top_logprobs", 0);
        body.refuseUnless("repetition_penalty", 1);
        body.refuseUnless("length_penalty", 1);
        body.refuseUnless("typical_p", 1);
        body.refuseUnless("min_p", 0);
        body.refuseUnless("top_a", 0);
        body.refuseUnless("min_tokens", 0);
        body.ignore(IGNORED);
    }
}
