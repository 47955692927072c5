package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Writes a Chat Completions request. */
final class ChatRequestWriter {
    /** OpenAI's own models refuse {@code max_tokens}. Many compatible servers know only that field. */
    private static final Pattern OPENAI = Pattern.compile("(.*/)?(gpt-(?!oss)|o\\d|chatgpt).*");

    /** Models that search the web for each answer. Other models refuse options for the search. */
    private static final Pattern SEARCHES = Pattern.compile("(.*/)?(gpt-.*-search.*|sonar.*)");

    private static final HostedTools SEARCH = new HostedTools(
            Map.of(HostedKind.WEB_SEARCH, Set.of(HostedSetting.Key.LOCATION, HostedSetting.Key.CONTEXT_SIZE)), true);

    /** OpenAI's limit for the length of call ids. */
    private static final int MAX_CALL_ID = 40;

    private final ModelRequest request;
    private final boolean openAi;
    private final ObjectNode body = Json.object();

    ChatRequestWriter(ModelRequest request) {
        this.request = request;
        openAi = isOpenAi(request.model());
    }

    /** Whether a model's name is one of OpenAI's. */
    static boolean isOpenAi(String model) {
        return OPENAI.matcher(model).matches();
    }

    /** The provider's tools that the request's model has. */
    static HostedTools hostedTools(ModelRequest request) {
        return SEARCHES.matcher(request.model()).matches() ? SEARCH : HostedTools.NONE;
    }

    ObjectNode write() {
        body.put("model", request.model());
        writeMessages();
        if (request.stream()) {
            body.put("stream", true);
            body.putObject("stream_options").put("include_usage", true);
        }
        writeTools();
        writeSettings();
        writeFormat();
        return body;
    }

    private void writeMessages() {
        ArrayNode messages = body.putArray("messages");
        if (!request.system().isEmpty()) {
            messages.addObject().put("role", "system").put("content", String.join("\n\n", request.system()));
        }
        for (Turn turn : request.turns()) {
            if (turn.role() == Turn.Role.ASSISTANT) {
                writeAssistant(messages.addObject().put("role", "assistant"), turn.parts());
            } else {
                writeUser(messages, turn.parts());
            }
        }
    }

    /**
     * Writes results and other parts. Results must follow the call at once. They cannot have images, so images follow
     * as a message.
     */
    private void writeUser(ArrayNode messages, List<Part> parts) {
        List<Part> said = new ArrayList<>();
        for (Part part : parts) {
            if (part instanceof Part.ToolResult result) {
                writeResult(messages, result, said);
            } else {
                said.add(part);
            }
        }
        writeSaid(messages, said);
    }

    private static void writeResult(ArrayNode messages, Part.ToolResult result, List<Part> said) {
        StringBuilder text = new StringBuilder();
        for (Part piece : result.content()) {
            if (piece instanceof Part.Text more) {
                text.append(more.text());
            } else {
                said.add(piece);
            }
        }
        messages.addObject()
                .put("role", "tool")
                .put("tool_call_id", Shortened.callId(result.callId(), MAX_CALL_ID))
                .put("content", text.toString());
    }

    /**
     * Writes text and instructions. OpenAI's models take instructions where they came. The templates of other models
     * often take them only at the beginning, so there they become a part of the user's text.
     */
    private void writeSaid(ArrayNode messages, List<Part> parts) {
        List<Part> said = new ArrayList<>();
        for (Part part : parts) {
            if (!(part instanceof Part.Instruction instruction)) {
                said.add(part);
            } else if (openAi) {
                writeMessage(messages, said);
                messages.addObject().put("role", "system").put("content", instruction.text());
            } else {
                said.add(instruction.asText());
            }
        }
        writeMessage(messages, said);
    }

    private static void writeMessage(ArrayNode messages, List<Part> said) {
        if (!said.isEmpty()) {
            writeContent(messages.addObject().put("role", "user"), said);
            said.clear();
        }
    }

    private static void writeContent(ObjectNode message, List<Part> parts) {
        if (parts.size() == 1 && parts.get(0) instanceof Part.Text only) {
            message.put("content", only.text());
            return;
        }
        ArrayNode content = message.putArray("content");
        for (Part part : parts) {
            if (part instanceof Part.Text text) {
                content.addObject().put("type", "text").put("text", text.text());
            } else if (part instanceof Part.Image image) {
                ObjectNode url = content.addObject().put("type", "image_url").putObject("image_url");
                url.put("url", image.link());
                Json.putKnown(url, "detail", image.detail());
            } else if (part instanceof Part.Document document) {
                writeDocument(content.addObject(), document);
            } else {
                throw new TranslationException(RequestField.TURNS, "a user's turn has a part of the model");
            }
        }
    }

    private static void writeDocument(ObjectNode part, Part.Document document) {
        if (document.data() == null) {
            throw new TranslationException(
                    RequestField.TURNS, "a link to a document cannot be expressed in Chat Completions");
        }
        part.put("type", "file")
                .putObject("file")
                .put("filename", document.name() == null ? "document" : document.name())
                .put("file_data", document.dataUrl());
    }

    private static void writeAssistant(ObjectNode message, List<Part> parts) {
        StringBuilder text = new StringBuilder();
        Map<String, StringBuilder> reasonings = new HashMap<>();
        message.putNull("content");
        for (Part part : parts) {
            if (part instanceof Part.Text said) {
                text.append(said.text());
            } else if (part instanceof Part.Reasoning reasoning) {
                addReasoning(message, reasonings, reasoning);
            } else if (part instanceof Part.ToolCall call) {
                ObjectNode written = message.withArray("tool_calls").addObject();
                ChatSeals.putBackCall(written, call.seal());
                written.put("id", Shortened.callId(call.id(), MAX_CALL_ID))
                        .put("type", "function")
                        .putObject("function")
                        .put("name", call.name())
                        .put("arguments", Json.argumentsText(call.arguments()));
            } else if (part instanceof Part.Image) {
                text.append(Part.Image.LEFT_OUT);
            } else {
                throw new TranslationException(RequestField.TURNS, "a model's turn has a part of the user");
            }
        }
        reasonings.forEach((field, said) -> message.put(field, said.toString()));
        if (text.length() > 0 || !message.has("tool_calls")) {
            message.put("content", text.toString());
        }
    }

    /** Adds reasoning for a server that has itself sent reasoning in this field. Other servers refuse the field. */
    private static void addReasoning(
            ObjectNode message, Map<String, StringBuilder> reasonings, Part.Reasoning reasoning) {
        Seal seal = reasoning.seal();
        if (seal == null || seal.origin() != Dialect.CHAT) {
            return;
        }
        ChatSeals.putBack(message, seal);
        if (ChatShapes.REASONING_FIELDS.contains(seal.kind())
                && !reasoning.text().isEmpty()) {
            reasonings
                    .computeIfAbsent(seal.kind(), field -> new StringBuilder())
                    .append(reasoning.text());
        }
    }

    private void writeTools() {
        List<Tool.Function> tools = request.functions();
        for (Tool.Function tool : tools) {
            ObjectNode function =
                    body.withArray("tools").addObject().put("type", "function").putObject("function");
            function.put("name", tool.name());
            Json.putKnown(function, "description", tool.description());
            Json.putKnown(function, "parameters", tool.schema());
            Json.putKnown(function, "strict", tool.strict());
        }
        writeSearch();
        ToolChoice choice = request.toolChoice();
        if (choice != null && !tools.isEmpty() && choice.mode() != ToolChoice.Mode.HOSTED) {
            switch (choice.mode()) {
                case AUTO -> body.put("tool_choice", "auto");
                case NONE -> body.put("tool_choice", "none");
                case REQUIRED -> body.put("tool_choice", "required");
                case NAMED ->
                    body.putObject("tool_choice")
                            .put("type", "function")
                            .putObject("function")
                            .put("name", choice.name());
                case HOSTED -> throw new IllegalStateException("there is no such choice in Chat");
            }
        }
        if (request.parallelTools() != null && !tools.isEmpty()) {
            body.put("parallel_tool_calls", request.parallelTools());
        }
    }

    private void writeSearch() {
        for (Tool.Hosted search : request.hosted()) {
            ObjectNode options = body.putObject("web_search_options");
            JsonNode size = search.setting(HostedSetting.Key.CONTEXT_SIZE);
            JsonNode location = search.setting(HostedSetting.Key.LOCATION);
            Json.putKnown(options, "search_context_size", size);
            if (location != null) {
                options.putObject("user_location").put("type", "approximate").set("approximate", location);
            }
        }
    }

    private void writeSettings() {
        Json.putKnown(body, openAi ? "max_completion_tokens" : "max_tokens", request.maxTokens());
        Sampling sampling = request.sampling();
        Json.putKnown(body, "temperature", sampling.temperature());
        Json.putKnown(body, "top_p", sampling.topP());
        Json.putKnown(body, "top_k", sampling.topK());
        Json.putKnown(body, "seed", sampling.seed());
        Json.putKnown(body, "presence_penalty", sampling.presencePenalty());
        Json.putKnown(body, "frequency_penalty", sampling.frequencyPenalty());
        if (!sampling.stops().isEmpty()) {
            ArrayNode stops = body.putArray("stop");
            sampling.stops().forEach(stops::add);
        }
        String effort = Effort.openAi(request.thinking());
        Json.putKnown(body, "reasoning_effort", effort);
        if (request.user() != null) {
            body.put("user", Shortened.user(request.user()));
        }
    }

    private void writeFormat() {
        OutputFormat format = request.format();
        if (format == null) {
            return;
        }
        ObjectNode written = body.putObject("response_format");
        if (format.schema() == null) {
            written.put("type", "json_object");
            return;
        }
        format.put(written.put("type", "json_schema").putObject("json_schema"));
    }
}
