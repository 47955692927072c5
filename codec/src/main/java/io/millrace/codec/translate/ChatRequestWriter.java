package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Writes a Chat Completions request. */
final class ChatRequestWriter {
    /** OpenAI's own models refuse {@code max_tokens}; many compatible servers know nothing else. */
    private static final Pattern NEW_LIMIT = Pattern.compile("(.*/)?(gpt-(?!oss)|o\\d|chatgpt).*");

    private final ModelRequest request;
    private final ObjectNode body = Json.object();

    ChatRequestWriter(ModelRequest request) {
        this.request = request;
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

    /** Results of tools must follow the call at once; images among them, which they cannot hold, follow as a message. */
    private static void writeUser(ArrayNode messages, List<Part> parts) {
        List<Part> said = new ArrayList<>();
        for (Part part : parts) {
            if (part instanceof Part.ToolResult result) {
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
                        .put("tool_call_id", result.callId())
                        .put("content", text.toString());
            } else {
                said.add(part);
            }
        }
        if (!said.isEmpty()) {
            writeContent(messages.addObject().put("role", "user"), said);
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
                url.put("url", image.url() == null ? DataUrl.of(image.mediaType(), image.data()) : image.url());
                if (image.detail() != null) {
                    url.put("detail", image.detail());
                }
            } else if (part instanceof Part.Document document) {
                writeDocument(content.addObject(), document);
            } else {
                throw new TranslationException(RequestField.TURNS, "a user's turn holds a part of the model's");
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
                .put("file_data", DataUrl.of(document.mediaType(), document.data()));
    }

    private static void writeAssistant(ObjectNode message, List<Part> parts) {
        StringBuilder text = new StringBuilder();
        Map<String, StringBuilder> reasonings = new HashMap<>();
        message.putNull("content");
        for (Part part : parts) {
            if (part instanceof Part.Text said) {
                text.append(said.text());
            } else if (part instanceof Part.Reasoning reasoning) {
                addReasoning(reasonings, reasoning);
            } else if (part instanceof Part.ToolCall call) {
                message.withArray("tool_calls")
                        .addObject()
                        .put("id", call.id())
                        .put("type", "function")
                        .putObject("function")
                        .put("name", call.name())
                        .put("arguments", call.arguments().isEmpty() ? "{}" : call.arguments());
            } else {
                throw new TranslationException(RequestField.TURNS, "a model's turn holds a part of the user's");
            }
        }
        reasonings.forEach((field, said) -> message.put(field, said.toString()));
        if (text.length() > 0 || !message.has("tool_calls")) {
            message.put("content", text.toString());
        }
    }

    /** Only to a server that has sent reasoning in this field: others refuse it. */
    private static void addReasoning(Map<String, StringBuilder> reasonings, Part.Reasoning reasoning) {
        Seal seal = reasoning.seal();
        boolean known =
                seal != null && seal.origin() == Dialect.CHAT && ChatShapes.REASONING_FIELDS.contains(seal.kind());
        if (known && !reasoning.text().isEmpty()) {
            reasonings
                    .computeIfAbsent(seal.kind(), field -> new StringBuilder())
                    .append(reasoning.text());
        }
    }

    private void writeTools() {
        for (Tool tool : request.tools()) {
            ObjectNode function =
                    body.withArray("tools").addObject().put("type", "function").putObject("function");
            function.put("name", tool.name());
            if (tool.description() != null) {
                function.put("description", tool.description());
            }
            if (tool.parameters() != null) {
                function.set("parameters", tool.parameters());
            }
            if (tool.strict() != null) {
                function.put("strict", tool.strict());
            }
        }
        ToolChoice choice = request.toolChoice();
        if (choice != null) {
            switch (choice.mode()) {
                case AUTO -> body.put("tool_choice", "auto");
                case NONE -> body.put("tool_choice", "none");
                case REQUIRED -> body.put("tool_choice", "required");
                case NAMED ->
                    body.putObject("tool_choice")
                            .put("type", "function")
                            .putObject("function")
                            .put("name", choice.name());
            }
        }
        if (request.parallelTools() != null && !request.tools().isEmpty()) {
            body.put("parallel_tool_calls", request.parallelTools());
        }
    }

    private void writeSettings() {
        if (request.maxTokens() != null) {
            boolean newLimit = NEW_LIMIT.matcher(request.model()).matches();
            body.put(newLimit ? "max_completion_tokens" : "max_tokens", request.maxTokens());
        }
        Sampling sampling = request.sampling();
        putNumber("temperature", sampling.temperature());
        putNumber("top_p", sampling.topP());
        if (sampling.topK() != null) {
            body.put("top_k", sampling.topK());
        }
        if (sampling.seed() != null) {
            body.put("seed", sampling.seed());
        }
        putNumber("presence_penalty", sampling.presencePenalty());
        putNumber("frequency_penalty", sampling.frequencyPenalty());
        if (!sampling.stops().isEmpty()) {
            ArrayNode stops = body.putArray("stop");
            sampling.stops().forEach(stops::add);
        }
        String effort = Effort.openAi(request.thinking());
        if (effort != null) {
            body.put("reasoning_effort", effort);
        }
        if (request.user() != null) {
            body.put("user", request.user());
        }
    }

    private void putNumber(String key, Double value) {
        if (value != null) {
            body.put(key, value);
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
        ObjectNode schema = written.put("type", "json_schema").putObject("json_schema");
        schema.put("name", format.name() == null ? "response" : format.name());
        if (format.description() != null) {
            schema.put("description", format.description());
        }
        schema.set("schema", format.schema());
        if (format.strict() != null) {
            schema.put("strict", format.strict());
        }
    }
}
