package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Writes a Messages request. */
final class MessagesRequestWriter {
    /** The {@code max_tokens} of a request without a limit. The dialect requires one. */
    static final long DEFAULT_MAX_TOKENS = 16_384;

    /** The tools run by the provider of Messages. */
    static final HostedTools HOSTED = new HostedTools(
            Map.of(
                    HostedKind.WEB_SEARCH,
                    Set.of(
                            HostedSetting.Key.ALLOWED_DOMAINS,
                            HostedSetting.Key.BLOCKED_DOMAINS,
                            HostedSetting.Key.LOCATION,
                            HostedSetting.Key.MAX_USES),
                    HostedKind.WEB_FETCH,
                    Set.of(
                            HostedSetting.Key.ALLOWED_DOMAINS,
                            HostedSetting.Key.BLOCKED_DOMAINS,
                            HostedSetting.Key.MAX_USES),
                    HostedKind.CODE,
                    Set.of()),
            true);

    private static final double MAX_TEMPERATURE = 1;
    /** The least {@code top_p} that a model with thinking accepts. */
    private static final double MIN_THINKING_TOP_P = 0.95;

    private final ModelRequest request;
    private final ClaudeModel model;
    private final MessagesThinking thinking;
    private final ObjectNode body = Json.object();

    MessagesRequestWriter(ModelRequest request) {
        this.request = request;
        model = ClaudeModel.of(request.model());
        thinking = new MessagesThinking(request, model);
    }

    ObjectNode write() {
        body.put("model", request.model());
        body.put("max_tokens", maxTokens());
        writeSystem();
        writeMessages();
        if (request.stream()) {
            body.put("stream", true);
        }
        writeTools();
        writeSampling();
        thinking.put(body);
        writeFormat();
        if (request.user() != null) {
            body.putObject("metadata").put("user_id", request.user());
        }
        return body;
    }

    private long maxTokens() {
        if (request.maxTokens() != null) {
            return request.maxTokens();
        }
        Long budget = thinking.isOn() ? thinking.budget() : null;
        return budget == null ? DEFAULT_MAX_TOKENS : budget + DEFAULT_MAX_TOKENS;
    }

    private void writeSystem() {
        if (request.system().size() == 1) {
            body.put("system", request.system().get(0));
        }
        if (request.system().size() > 1) {
            ArrayNode blocks = body.putArray("system");
            request.system()
                    .forEach(text -> blocks.addObject().put("type", "text").put("text", text));
        }
    }

    private void writeMessages() {
        ArrayNode messages = body.putArray("messages");
        for (Turn turn : request.turns()) {
            ArrayNode content = Json.object().arrayNode();
            boolean user = turn.role() == Turn.Role.USER;
            if (user) {
                // Results must come before all other parts of the user's message.
                turn.parts().stream()
                        .filter(Part.ToolResult.class::isInstance)
                        .forEach(part -> writePart(content, part));
                turn.parts().stream()
                        .filter(part -> !(part instanceof Part.ToolResult))
                        .forEach(part -> writePart(content, part));
            } else {
                turn.parts().forEach(part -> writeAssistant(content, part));
            }
            add(messages, user ? "user" : "assistant", content);
        }
        trimLast(messages);
    }

    /** Adds a message, if it has content. Messages refuses a message without content. */
    private static void add(ArrayNode messages, String role, ArrayNode content) {
        if (content.isEmpty()) {
            return;
        }
        ObjectNode message = messages.addObject().put("role", role);
        boolean plain =
                content.size() == 1 && content.get(0).path("type").asText().equals("text");
        if (plain && role.equals("user")) {
            message.set("content", content.get(0).get("text"));
        } else {
            message.set("content", content);
        }
    }

    /** Trims the end of the last message. Messages refuses a last message of the assistant that ends in white space. */
    private static void trimLast(ArrayNode messages) {
        JsonNode last = messages.path(messages.size() - 1);
        if (last.path("role").asText().equals("assistant")
                && last.get("content").path(last.get("content").size() - 1) instanceof ObjectNode block
                && block.path("type").asText().equals("text")) {
            block.put("text", block.get("text").textValue().stripTrailing());
        }
    }

    private static void writeAssistant(ArrayNode content, Part part) {
        if (part instanceof Part.Image || part instanceof Part.Document) {
            writeText(content, Part.Image.LEFT_OUT);
        } else {
            writePart(content, part);
        }
    }

    private static void writeText(ArrayNode content, String text) {
        if (!text.isBlank()) {
            content.addObject().put("type", "text").put("text", text);
        }
    }

    private static void writePart(ArrayNode content, Part part) {
        if (part instanceof Part.Text text) {
            writeText(content, text.text());
        } else if (part instanceof Part.Instruction instruction) {
            writeText(content, instruction.asText().text());
        } else if (part instanceof Part.Image image) {
            ObjectNode source = content.addObject().put("type", "image").putObject("source");
            writeSource(source, image.mediaType(), image.data(), image.url());
        } else if (part instanceof Part.Document document) {
            writeDocument(content.addObject(), document);
        } else if (part instanceof Part.Reasoning reasoning) {
            writeReasoning(content, reasoning);
        } else if (part instanceof Part.ToolCall call) {
            writeCall(content.addObject(), call);
        } else if (part instanceof Part.ToolResult result) {
            writeResult(content.addObject(), result);
        }
    }

    private static void writeSource(
            ObjectNode source, @Nullable String mediaType, @Nullable String data, @Nullable String url) {
        if (url == null) {
            source.put("type", "base64").put("media_type", mediaType).put("data", data);
        } else {
            source.put("type", "url").put("url", url);
        }
    }

    private static void writeDocument(ObjectNode block, Part.Document document) {
        ObjectNode source = block.put("type", "document").putObject("source");
        if ("text/plain".equals(document.mediaType()) && document.data() != null) {
            source.put("type", "text").put("media_type", "text/plain").put("data", decoded(document.data()));
        } else {
            writeSource(source, document.mediaType(), document.data(), document.url());
        }
        Json.putKnown(block, "title", document.name());
    }

    private static String decoded(String base64) {
        try {
            return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new TranslationException(RequestField.TURNS, "a document's data is not Base64");
        }
    }

    /** Writes thinking, if it has a signature of Messages. The provider refuses any other thinking. */
    private static void writeReasoning(ArrayNode content, Part.Reasoning reasoning) {
        Seal seal = reasoning.seal();
        if (seal == null || seal.origin() != Dialect.MESSAGES) {
            return;
        }
        if (MessagesShapes.isRedacted(seal)) {
            content.addObject().put("type", "redacted_thinking").put("data", seal.value());
        } else {
            content.addObject()
                    .put("type", "thinking")
                    .put("thinking", reasoning.text())
                    .put("signature", seal.value());
        }
    }

    private static void writeCall(ObjectNode block, Part.ToolCall call) {
        block.put("type", "tool_use")
                .put("id", plainId(call.id()))
                .put("name", call.name())
                .set("input", Json.arguments(call.arguments()));
    }

    /** An id with letters, digits, {@code _} and {@code -} only. */
    private static String plainId(String id) {
        return id.replaceAll("[^A-Za-z0-9_-]", "_");
    }

    private static void writeResult(ObjectNode block, Part.ToolResult result) {
        block.put("type", "tool_result").put("tool_use_id", plainId(result.callId()));
        ArrayNode content = Json.object().arrayNode();
        result.content().forEach(part -> writePart(content, part));
        if (content.size() == 1 && content.get(0).path("type").asText().equals("text")) {
            block.set("content", content.get(0).get("text"));
        } else if (!content.isEmpty()) {
            block.set("content", content);
        }
        if (result.failed()) {
            block.put("is_error", true);
        }
    }

    private void writeTools() {
        for (Tool.Function tool : request.functions()) {
            ObjectNode written = body.withArray("tools").addObject().put("name", tool.name());
            Json.putKnown(written, "description", tool.description());
            ObjectNode schema = tool.schema();
            written.set("input_schema", schema == null ? Json.object().put("type", "object") : schema);
            Json.putKnown(written, "strict", tool.strict());
        }
        for (Tool.Hosted tool : request.hosted()) {
            writeHosted(body.withArray("tools").addObject(), tool);
        }
        writeToolChoice();
    }

    /** Writes the oldest version of a tool. All models that have the tool accept it. */
    private static void writeHosted(ObjectNode json, Tool.Hosted hosted) {
        switch (hosted.kind()) {
            case WEB_SEARCH -> json.put("type", "web_search_20250305");
            case WEB_FETCH -> json.put("type", "web_fetch_20250910");
            case CODE -> json.put("type", "code_execution_20250825");
            case OTHER -> throw new IllegalStateException("not served: " + hosted.type());
        }
        json.put("name", hosted.kind().toolName());
        for (HostedSetting setting : hosted.settings()) {
            switch (setting.key()) {
                case ALLOWED_DOMAINS -> json.set("allowed_domains", setting.value());
                case BLOCKED_DOMAINS -> json.set("blocked_domains", setting.value());
                case LOCATION -> HostedSettings.putLocation(json.putObject("user_location"), setting.value());
                case MAX_USES -> json.set("max_uses", setting.value());
                case CONTEXT_SIZE, OTHER -> throw new IllegalStateException("not served: " + setting.path());
            }
        }
    }

    private void writeToolChoice() {
        boolean single = Boolean.FALSE.equals(request.parallelTools());
        if (request.tools().isEmpty() || (request.toolChoice() == null && !single)) {
            return;
        }
        ObjectNode written = body.putObject("tool_choice");
        ToolChoice choice = request.toolChoice() == null ? ToolChoice.AUTO : request.toolChoice();
        switch (choice.mode()) {
            case AUTO -> written.put("type", "auto");
            case NONE -> written.put("type", "none");
            case REQUIRED -> written.put("type", "any");
            case NAMED, HOSTED -> written.put("type", "tool").put("name", choice.name());
        }
        if (single && choice.mode() != ToolChoice.Mode.NONE) {
            written.put("disable_parallel_tool_use", true);
        }
    }

    private void writeSampling() {
        Sampling sampling = request.sampling();
        if (model.samples()) {
            writeChoice(sampling.temperature(), sampling.topP(), sampling.topK());
        }
        if (!sampling.stops().isEmpty()) {
            ArrayNode stops = body.putArray("stop_sequences");
            sampling.stops().forEach(stops::add);
        }
        verifyZero(RequestField.PRESENCE_PENALTY, sampling.presencePenalty());
        verifyZero(RequestField.FREQUENCY_PENALTY, sampling.frequencyPenalty());
    }

    /**
     * Writes the settings of sampling, without defaults and without those that the model refuses together with another
     * setting.
     */
    private void writeChoice(@Nullable Double temperature, @Nullable Double topP, @Nullable Long topK) {
        boolean thinks = thinking.isOn();
        Double cut = topP == null || topP == 1 || (thinks && topP < MIN_THINKING_TOP_P) ? null : topP;
        Double heat = temperature == null || (temperature == 1 && cut != null) || thinks
                ? null
                : Double.valueOf(Math.min(MAX_TEMPERATURE, temperature));
        Json.putKnown(body, "temperature", heat);
        if (cut != null && (heat == null || !model.samplesOneWay())) {
            body.put("top_p", cut);
        }
        if (topK != null && !thinks) {
            body.put("top_k", topK);
        }
    }

    private static void verifyZero(RequestField field, @Nullable Double penalty) {
        if (penalty != null && penalty != 0) {
            throw new TranslationException(field, "cannot be expressed in Messages");
        }
    }

    private void writeFormat() {
        OutputFormat format = request.format();
        if (format == null) {
            return;
        }
        if (format.schema() == null) {
            throw new TranslationException(
                    RequestField.FORMAT, "JSON without a schema cannot be expressed in Messages: give a schema");
        }
        body.withObject("output_config")
                .putObject("format")
                .put("type", "json_schema")
                .set("schema", format.schema());
    }
}
