package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads Chat Completions chunks and answers, from OpenAI and compatible servers. */
final class ChatDeltaReader extends FrameReader {
    /** The index for the fragments of a legacy {@code function_call}. */
    private static final int LEGACY_INDEX = -1;

    private final CallAssembler calls;
    private final ChatSeals seals = new ChatSeals();

    private boolean headed;
    private boolean chosen;
    private boolean deltas;
    private boolean stopped;

    /** Whether reasoning is open, and the field of its text, empty if there is none. */
    private boolean reasons;

    private String reasoningField = "";

    /** @param tools the names of the tools that the request offers */
    ChatDeltaReader(Set<String> tools) {
        super(Dialect.CHAT);
        calls = new CallAssembler(tools);
    }

    @Override
    void read(ObjectNode json, DeltaSink out) {
        JsonNode choices = json.path("choices");
        if (UpstreamErrors.isError(json, choices)) {
            out.error(UpstreamErrors.of(json));
            return;
        }
        for (JsonNode choice : choices) {
            chosen = true;
            if (choice.path("index").asInt(0) == 0) {
                readHead(json, out);
                readText(Json.text(choice, "text"), out);
                readDelta(choice, out);
                readFinish(choice, out);
            }
        }
        if (!headed && json.path("usage").isObject()) {
            // Counts begin the answer if nothing else has.
            readHead(json, out);
        }
        ChatUsage.read(json, choices, out);
    }

    @Override
    void done(DeltaSink out) {
        if (chosen) {
            end(out);
        } else {
            out.error(AnswerGrammar.garbled("it ended before it began"));
        }
    }

    @Override
    public void finish(DeltaSink out) {
        if (stopped) {
            end(out);
        }
    }

    @Override
    public long heldBytes() {
        return Character.BYTES * (calls.heldChars() + seals.heldChars());
    }

    @Override
    void readAnswer(ObjectNode json, DeltaSink out) {
        JsonNode choices = json.path("choices");
        JsonNode choice = choices.path(0);
        if (UpstreamErrors.isError(json, choices)) {
            out.error(UpstreamErrors.of(json));
        } else if (!choice.isObject()) {
            out.error(AnswerGrammar.garbled("it has no choices"));
        } else {
            readHead(json, out);
            JsonNode message = choice.path("message");
            readText(Json.text(choice, "text"), out);
            readMessage(message, out);
            for (JsonNode call : callsOf(message.path("tool_calls"))) {
                readWholeCall(call, functionOf(call), out);
            }
            if (message.path("function_call").isObject()) {
                readWholeCall(message.path("function_call"), message.path("function_call"), out);
            }
            readFinish(choice, out);
            ChatUsage.read(json, choices, out);
            end(out);
        }
    }

    private void end(DeltaSink out) {
        endReasoning(out);
        calls.finish(out);
        if (!stopped && calls.isWhole()) {
            out.stop(StopReason.TOOL_CALLS, null);
        }
        out.end();
    }

    /** Reads the fields that every chunk has. The first chunk's values are used. */
    private void readHead(ObjectNode json, DeltaSink out) {
        if (headed) {
            return;
        }
        headed = true;
        out.start(
                emptyToNull(Json.text(json, "id")), emptyToNull(Json.text(json, "model")), Json.count(json, "created"));
    }

    private static @Nullable String emptyToNull(String text) {
        return text.isEmpty() ? null : text;
    }

    /**
     * Reads a delta. Some servers send whole messages in place of deltas. Others send deltas and repeat them in a
     * message.
     */
    private void readDelta(JsonNode choice, DeltaSink out) {
        JsonNode delta = choice.path("delta");
        deltas |= !delta.isEmpty();
        JsonNode message = deltas ? delta : choice.path("message");
        JsonNode list = message.path("tool_calls");
        boolean only = message.size() == 1 && !list.isMissingNode();
        if (!only) {
            readMessage(message, out);
        }
        int position = 0;
        for (JsonNode call : callsOf(list)) {
            readCall(call, position++, out);
        }
        if (!only) {
            readLegacyCall(message, out);
        }
    }

    private void readLegacyCall(JsonNode message, DeltaSink out) {
        JsonNode legacy = message.path("function_call");
        if (legacy.isObject()) {
            endReasoning(out);
            calls.fragment(
                    new CallAssembler.Fragment(
                            LEGACY_INDEX, true, "", Json.text(legacy, "name"), argumentsOf(legacy), null),
                    out);
        }
    }

    // {"role": "assistant", "content": "..", "reasoning_content": "..", "refusal": "..", "tool_calls": [..]}
    private void readMessage(JsonNode message, DeltaSink out) {
        if (message.size() == 1 && message.path("content").isTextual()) {
            // Most messages have text only.
            readText(message.path("content").textValue(), out);
            return;
        }
        readReasoning(message, out);
        readContent(message.path("content"), out);
        String refusal = Json.text(message, "refusal");
        if (!refusal.isEmpty()) {
            beforeText(out);
            out.refusal(refusal);
        }
        message.path("annotations").forEach(annotation -> readAnnotation(annotation, out));
        for (JsonNode image : message.path("images")) {
            readImage(image, out);
        }
        if (message.path("image").isObject()) {
            readImage(message.path("image"), out);
        }
        readText(Json.text(message.path("audio"), "transcript"), out);
    }

    // {"type": "url_citation", "url_citation": {"url": "..", "title": "..", "start_index": 0, "end_index": 9}}
    private static void readAnnotation(JsonNode annotation, DeltaSink out) {
        JsonNode cited = annotation.path("url_citation");
        String url = Json.text(cited, "url");
        if (!url.isEmpty()) {
            int start = cited.path("start_index").asInt(-1);
            int end = cited.path("end_index").asInt(-1);
            out.citation(new Part.Citation(url, Json.text(cited, "title"), Json.text(cited, "content"), start, end));
        }
    }

    private void readReasoning(JsonNode message, DeltaSink out) {
        seals.read(message);
        reasons |= !seals.isEmpty();
        for (String field : ChatShapes.REASONING_FIELDS) {
            JsonNode text = message.path(field);
            if (text.isTextual() && !text.textValue().isEmpty()) {
                reasons = true;
                reasoningField = field;
                out.reasoning(text.textValue());
                return;
            }
        }
    }

    private void endReasoning(DeltaSink out) {
        if (reasons) {
            out.reasoningEnd(seals.take(reasoningField));
            reasons = false;
            reasoningField = "";
        }
    }

    private void beforeText(DeltaSink out) {
        endReasoning(out);
        calls.settle(out);
    }

    private void readText(String text, DeltaSink out) {
        if (!text.isEmpty()) {
            beforeText(out);
            out.text(text);
        }
    }

    /**
     * Reads a string, or Mistral's form {@code [{"type": "thinking", "thinking": [{"text": ".."}]}, {"text": ".."}]}.
     */
    private void readContent(JsonNode content, DeltaSink out) {
        if (content.isTextual()) {
            readText(content.textValue(), out);
            return;
        }
        for (JsonNode part : content) {
            JsonNode thinking = part.path("thinking");
            thinking.forEach(piece -> out.reasoning(Json.text(piece, "text")));
            out.reasoning(thinking.asText(""));
            readText(part.isTextual() ? part.textValue() : Json.text(part, "text"), out);
            String refusal = Json.text(part, "refusal");
            if (!refusal.isEmpty()) {
                beforeText(out);
                out.refusal(refusal);
            }
            if (part.has("image_url")) {
                readImage(part, out);
            }
        }
    }

    // {"type": "image_url", "image_url": {"url": "data:image/png;base64,.."}}
    private void readImage(JsonNode image, DeltaSink out) {
        JsonNode at = image.path("image_url");
        String url = at.isTextual() ? at.textValue() : Json.text(at, "url");
        String link = !url.isEmpty() ? url : image.isTextual() ? image.textValue() : Json.text(image, "url");
        String base64 = Json.text(image, "b64_json");
        if (!link.isEmpty()) {
            beforeText(out);
            DataUrl data = DataUrl.parse(link);
            out.media(
                    data == null
                            ? new Part.Media("image/*", null, link)
                            : new Part.Media(data.mediaType(), data.data(), null));
        } else if (!base64.isEmpty()) {
            beforeText(out);
            out.media(new Part.Media("image/png", base64, null));
        }
    }

    private void readCall(JsonNode call, int position, DeltaSink out) {
        endReasoning(out);
        JsonNode index = call.path("index");
        boolean indexed = index.isNumber() || index.isTextual();
        JsonNode function = functionOf(call);
        String id = Json.text(call, "id");
        String name = Json.text(function, "name");
        boolean begins = !id.isEmpty() || !name.isEmpty();
        int at = indexed ? index.asInt(position) : position;
        String arguments = argumentsOf(function);
        if (begins || !calls.goesOn(at, arguments, out)) {
            Seal seal = begins ? ChatSeals.ofCall(call) : null;
            calls.fragment(new CallAssembler.Fragment(at, indexed, id, name, arguments, seal), out);
        }
    }

    private void readWholeCall(JsonNode call, JsonNode function, DeltaSink out) {
        endReasoning(out);
        calls.whole(
                Json.text(call, "id"), Json.text(function, "name"), argumentsOf(function), ChatSeals.ofCall(call), out);
    }

    /** The calls in a list, or the one call without a list. */
    private static Iterable<JsonNode> callsOf(JsonNode list) {
        return list.isObject() ? List.of(list) : list;
    }

    private static JsonNode functionOf(JsonNode call) {
        JsonNode function = call.path("function");
        return function.isObject() ? function : call;
    }

    private static String argumentsOf(JsonNode function) {
        JsonNode arguments = function.path("arguments");
        return arguments.isContainerNode() ? arguments.toString() : arguments.asText("");
    }

    private void readFinish(JsonNode choice, DeltaSink out) {
        if (UpstreamErrors.isSaid(choice.path("error"))) {
            out.error(UpstreamErrors.of((ObjectNode) choice));
            return;
        }
        JsonNode told = choice.path("finish_reason");
        String reason = told.isTextual() ? told.textValue() : "";
        if (reason.isBlank() || reason.equalsIgnoreCase("null") || reason.equalsIgnoreCase("none")) {
            return;
        }
        if (StopWords.isFailure(reason)) {
            out.error(StopWords.failure(reason, null));
            return;
        }
        stopped = true;
        out.stop(StopWords.meaning(reason), null);
    }
}
