package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/** Writes a Messages request. */
final class MessagesRequestWriter {
    /** What {@code max_tokens}, which this dialect requires, is where the client said nothing. */
    static final long DEFAULT_MAX_TOKENS = 16_384;

    private static final long MIN_BUDGET = 1024;
    private static final double MAX_TEMPERATURE = 1;

    private final ModelRequest request;
    private final ObjectNode body = Json.object();

    MessagesRequestWriter(ModelRequest request) {
        this.request = request;
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
        writeThinking();
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
        Long budget = request.thinking() == null ? null : request.thinking().budgetTokens();
        return budget == null
                ? DEFAULT_MAX_TOKENS
                : Math.min(budget, Long.MAX_VALUE - DEFAULT_MAX_TOKENS) + DEFAULT_MAX_TOKENS;
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
            boolean user = turn.role() == Turn.Role.USER;
            ObjectNode message = messages.addObject().put("role", user ? "user" : "assistant");
            if (user && turn.parts().size() == 1 && turn.parts().get(0) instanceof Part.Text only) {
                message.put("content", only.text());
                continue;
            }
            ArrayNode content = message.putArray("content");
            // Results must come before anything else that the user says.
            turn.parts().stream().filter(Part.ToolResult.class::isInstance).forEach(part -> writePart(content, part));
            turn.parts().stream()
                    .filter(part -> !(part instanceof Part.ToolResult))
                    .forEach(part -> writePart(content, part));
        }
    }

    private static void writePart(ArrayNode content, Part part) {
        if (part instanceof Part.Text text) {
            content.addObject().put("type", "text").put("text", text.text());
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

    private static void writeSource(ObjectNode source, String mediaType, String data, String url) {
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
        if (document.name() != null) {
            block.put("title", document.name());
        }
    }

    private static String decoded(String base64) {
        try {
            return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new TranslationException(RequestField.TURNS, "a document's data is not Base64");
        }
    }

    /** Only what Messages itself has signed: it refuses any other thinking. */
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
        ObjectNode input = call.arguments().isBlank() ? Json.object() : Json.parseObject(call.arguments());
        if (input == null) {
            throw new TranslationException(
                    RequestField.TURNS, "the arguments of tool call " + call.id() + " are not a JSON object");
        }
        block.put("type", "tool_use")
                .put("id", plainId(call.id()))
                .put("name", call.name())
                .set("input", input);
    }

    /** Ids have letters, digits, {@code _} and {@code -} only. */
    private static String plainId(String id) {
        return id.replaceAll("[^A-Za-z0-9_-]", "_");
    }

    private static void writeResult(ObjectNode block, Part.ToolResult result) {
        block.put("type", "tool_result").put("tool_use_id", plainId(result.callId()));
        List<Part> content = result.content();
        if (content.size() == 1 && content.get(0) instanceof Part.Text only) {
            block.put("content", only.text());
        } else if (!content.isEmpty()) {
            ArrayNode blocks = block.putArray("content");
            content.forEach(part -> writePart(blocks, part));
        }
        if (result.failed()) {
            block.put("is_error", true);
        }
    }

    private void writeTools() {
        for (Tool tool : request.tools()) {
            ObjectNode written = body.withArray("tools").addObject().put("name", tool.name());
            if (tool.description() != null) {
                written.put("description", tool.description());
            }
            ObjectNode schema = tool.parameters() == null
                    ? Json.object()
                    : tool.parameters().deepCopy();
            if (!schema.has("type")) {
                schema.put("type", "object");
            }
            written.set("input_schema", schema);
            if (tool.strict() != null) {
                written.put("strict", tool.strict());
            }
        }
        writeToolChoice();
    }

    private void writeToolChoice() {
        boolean single = Boolean.FALSE.equals(request.parallelTools());
        ToolChoice choice = request.toolChoice();
        if (request.tools().isEmpty() || (choice == null && !single)) {
            return;
        }
        ObjectNode written = body.putObject("tool_choice");
        ToolChoice.Mode mode = choice == null ? ToolChoice.Mode.AUTO : choice.mode();
        switch (mode) {
            case AUTO -> written.put("type", "auto");
            case NONE -> written.put("type", "none");
            case REQUIRED -> written.put("type", "any");
            case NAMED -> written.put("type", "tool").put("name", choice.name());
        }
        if (single && mode != ToolChoice.Mode.NONE) {
            written.put("disable_parallel_tool_use", true);
        }
    }

    private void writeSampling() {
        Sampling sampling = request.sampling();
        if (sampling.temperature() != null) {
            body.put("temperature", Math.min(MAX_TEMPERATURE, sampling.temperature()));
        }
        if (sampling.topP() != null) {
            body.put("top_p", sampling.topP());
        }
        if (sampling.topK() != null) {
            body.put("top_k", sampling.topK());
        }
        if (!sampling.stops().isEmpty()) {
            ArrayNode stops = body.putArray("stop_sequences");
            sampling.stops().forEach(stops::add);
        }
        verifyZero(RequestField.PRESENCE_PENALTY, sampling.presencePenalty());
        verifyZero(RequestField.FREQUENCY_PENALTY, sampling.frequencyPenalty());
    }

    private static void verifyZero(RequestField field, Double penalty) {
        if (penalty != null && penalty != 0) {
            throw new TranslationException(field, "cannot be expressed in Messages");
        }
    }

    private void writeThinking() {
        Thinking thinking = request.thinking();
        if (thinking == null) {
            return;
        }
        if (thinking.effort() != null) {
            String effort = thinking.effort().equals("minimal") ? "low" : thinking.effort();
            body.withObject("output_config").put("effort", effort);
        }
        if (thinking.enabled() == null) {
            return;
        }
        ObjectNode written = body.putObject("thinking");
        if (!thinking.enabled()) {
            written.put("type", "disabled");
            return;
        }
        if (thinking.budgetTokens() == null) {
            written.put("type", "adaptive");
        } else {
            written.put("type", "enabled").put("budget_tokens", budget(thinking.budgetTokens()));
        }
        if (thinking.shown() != null) {
            written.put("display", thinking.shown() ? "summarized" : "omitted");
        }
    }

    /** At least 1,024, and less than {@code max_tokens}. */
    private long budget(long asked) {
        if (maxTokens() <= MIN_BUDGET) {
            throw new TranslationException(
                    RequestField.THINKING, "in Messages, thinking needs more than 1,024 tokens in all");
        }
        return Math.min(Math.max(MIN_BUDGET, asked), maxTokens() - 1);
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
