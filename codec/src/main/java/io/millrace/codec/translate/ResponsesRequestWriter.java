package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Writes a Responses request. The provider shall store nothing, so the request asks for encrypted reasoning. */
final class ResponsesRequestWriter {
    /** Models that have encrypted reasoning. Others refuse a request for it. */
    private static final Pattern REASONS = Pattern.compile("(.*/)?(o\\d|gpt-5(?!-chat)|codex).*");

    /** OpenAI's limit for the length of call ids. */
    private static final int MAX_CALL_ID = 64;

    /** OpenAI's smallest limit for the tokens of an answer. */
    private static final long MIN_TOKENS = 16;

    private final ModelRequest request;
    private final boolean openAi;
    private final ObjectNode body = Json.object();

    ResponsesRequestWriter(ModelRequest request) {
        this.request = request;
        openAi = ChatRequestWriter.isOpenAi(request.model());
    }

    ObjectNode write() {
        refuseUnknown();
        body.put("model", request.model());
        if (!request.system().isEmpty()) {
            body.put("instructions", String.join("\n\n", request.system()));
        }
        ArrayNode input = body.putArray("input");
        for (Turn turn : request.turns()) {
            if (turn.role() == Turn.Role.USER) {
                writeUser(input, turn.parts());
            } else {
                turn.parts().forEach(part -> writeAssistant(input, part));
            }
        }
        body.put("stream", request.stream()).put("store", false);
        if (REASONS.matcher(request.model()).matches()) {
            body.putArray("include").add("reasoning.encrypted_content");
        }
        ResponsesSettings.put(body, request);
        ResponsesHosted.put(body, request);
        writeWithinLimits();
        return body;
    }

    /** Changes fields to be within OpenAI's limits, which are narrower than those of other dialects. */
    private void writeWithinLimits() {
        if (request.maxTokens() != null) {
            body.put("max_output_tokens", Math.max(MIN_TOKENS, request.maxTokens()));
        }
        if (request.user() != null) {
            body.put("user", Shortened.user(request.user()));
        }
        if (request.tools().isEmpty()) {
            body.remove("tool_choice");
        }
    }

    private void refuseUnknown() {
        Sampling sampling = request.sampling();
        refuse(!sampling.stops().isEmpty(), RequestField.STOPS, "stop sequences");
        refuse(sampling.topK() != null, RequestField.TOP_K, "top-k sampling");
        refuse(isSet(sampling.presencePenalty()), RequestField.PRESENCE_PENALTY, "a presence penalty");
        refuse(isSet(sampling.frequencyPenalty()), RequestField.FREQUENCY_PENALTY, "a frequency penalty");
    }

    private static boolean isSet(@Nullable Double penalty) {
        return penalty != null && penalty != 0;
    }

    private static void refuse(boolean asked, RequestField field, String what) {
        if (asked) {
            throw new TranslationException(field, what + " cannot be expressed in Responses");
        }
    }

    /** Writes results as separate items. The other parts of the turn follow as messages. */
    private void writeUser(ArrayNode input, List<Part> parts) {
        for (Part part : parts) {
            if (part instanceof Part.ToolResult result) {
                writeResult(input, result);
            }
        }
        ArrayNode content = Json.object().arrayNode();
        for (Part part : parts) {
            if (part instanceof Part.Instruction instruction && openAi) {
                content = flush(input, content);
                input.addObject().put("role", "developer").put("content", instruction.text());
            } else if (!(part instanceof Part.ToolResult)) {
                writeContent(content, part instanceof Part.Instruction said ? said.asText() : part);
            }
        }
        flush(input, content);
    }

    /** Adds the content so far as a message of the user. Returns new, empty content. */
    private static ArrayNode flush(ArrayNode input, ArrayNode content) {
        if (!content.isEmpty()) {
            input.addObject().put("role", "user").set("content", content);
        }
        return Json.object().arrayNode();
    }

    private static void writeResult(ArrayNode input, Part.ToolResult result) {
        ObjectNode item = input.addObject()
                .put("type", "function_call_output")
                .put("call_id", Shortened.callId(result.callId(), MAX_CALL_ID));
        StringBuilder text = new StringBuilder();
        ArrayNode content = Json.object().arrayNode();
        boolean onlyText = true;
        for (Part part : result.content()) {
            writeContent(content, part);
            onlyText &= part instanceof Part.Text;
            text.append(part instanceof Part.Text more ? more.text() : "");
        }
        if (onlyText) {
            item.put("output", text.toString());
        } else {
            item.set("output", content);
        }
    }

    private static void writeContent(ArrayNode content, Part part) {
        ObjectNode json = content.addObject();
        if (part instanceof Part.Text text) {
            json.put("type", "input_text").put("text", text.text());
        } else if (part instanceof Part.Image image) {
            json.put("type", "input_image")
                    .put("detail", image.detail() == null ? "auto" : image.detail())
                    .put("image_url", image.link());
        } else if (part instanceof Part.Document document) {
            json.put("type", "input_file");
            if (document.data() == null) {
                json.put("file_url", document.url());
            } else {
                json.put("filename", document.name() == null ? "document" : document.name())
                        .put("file_data", document.dataUrl());
            }
        } else {
            throw new TranslationException(RequestField.TURNS, "a user's turn has a part of the model");
        }
    }

    private static void writeAssistant(ArrayNode input, Part part) {
        if (part instanceof Part.Text text) {
            input.addObject().put("role", "assistant").put("content", text.text());
        } else if (part instanceof Part.Image) {
            input.addObject().put("role", "assistant").put("content", Part.Image.LEFT_OUT);
        } else if (part instanceof Part.Reasoning reasoning) {
            writeReasoning(input, reasoning);
        } else if (part instanceof Part.ToolCall call) {
            input.addObject()
                    .put("type", "function_call")
                    .put("call_id", Shortened.callId(call.id(), MAX_CALL_ID))
                    .put("name", call.name())
                    .put("arguments", Json.argumentsText(call.arguments()));
        } else {
            throw new TranslationException(RequestField.TURNS, "a model's turn has a part of the user");
        }
    }

    /** Writes reasoning, if such an upstream has encrypted it. The seal's kind is the id of the item. */
    private static void writeReasoning(ArrayNode input, Part.Reasoning reasoning) {
        Seal seal = reasoning.seal();
        if (seal == null || seal.origin() != Dialect.RESPONSES) {
            return;
        }
        ObjectNode item = input.addObject().put("type", "reasoning");
        if (!seal.kind().isEmpty()) {
            item.put("id", seal.kind());
        }
        ArrayNode summary = item.putArray("summary");
        if (!reasoning.text().isEmpty()) {
            summary.addObject().put("type", "summary_text").put("text", reasoning.text());
        }
        item.put("encrypted_content", seal.value());
    }
}
