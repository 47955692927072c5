package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.Set;

/**
 * Reads Gemini's responses, streamed or whole, which have the same shape. There is no last one: a stream ends with its body,
 * once a response has said why. Parts of hosted tools are passed over: no translated request asks for any.
 */
final class GeminiDeltaReader extends FrameReader {
    /** Kinds of the seals here: of thoughts, of a call, and of text. */
    static final String THOUGHT = "thought";

    static final String TEXT = "text";

    /** The candidate was withheld, or cut where it was going to say what it must not. */
    private static final Set<String> FILTERED = Set.of(
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "MODEL_ARMOR");

    /** The model has failed: what there is of the answer is none. */
    private static final Set<String> FAILED = Set.of(
            "MALFORMED_FUNCTION_CALL",
            "UNEXPECTED_TOOL_CALL",
            "TOO_MANY_TOOL_CALLS",
            "MALFORMED_RESPONSE",
            "MISSING_THOUGHT_SIGNATURE",
            "NO_IMAGE",
            "IMAGE_OTHER");

    private String responseId = "";
    private int callCount;
    private StopReason stopReason;

    @Override
    void read(ObjectNode json, DeltaSink out) {
        if (has(json, "error")) {
            out.error(UpstreamErrors.of(json));
            return;
        }
        readHead(json, out);
        JsonNode blocked = json.path("promptFeedback").path("blockReason");
        if (blocked.isTextual()) {
            stop(StopReason.CONTENT_FILTER, out);
        }
        for (JsonNode candidate : json.path("candidates")) {
            if (candidate.path("index").asInt(0) == 0) {
                for (JsonNode part : candidate.path("content").path("parts")) {
                    readPart(part, out);
                }
                readUsage(json.path("usageMetadata"), out);
                readFinish(candidate, out);
                return;
            }
        }
        readUsage(json.path("usageMetadata"), out);
    }

    /** No Gemini sends it; it proves nothing. */
    @Override
    void done(DeltaSink out) {}

    @Override
    public void finish(DeltaSink out) {
        if (stopReason != null) {
            out.end();
        }
    }

    @Override
    void readAnswer(ObjectNode json, DeltaSink out) {
        read(json, out);
        if (stopReason == null) {
            out.error(AnswerGrammar.garbled("it does not say why it ends"));
        } else {
            out.end();
        }
    }

    private void readHead(ObjectNode json, DeltaSink out) {
        String id = Json.textOrNull(json, "responseId");
        if (id != null) {
            responseId = id;
        }
        out.start(id, Json.textOrNull(json, "modelVersion"), -1);
    }

    private void readPart(JsonNode part, DeltaSink out) {
        String signature = Json.text(part, "thoughtSignature");
        JsonNode call = part.path("functionCall");
        if (call.isObject()) {
            readCall(call, signature, out);
            return;
        }
        boolean thought = part.path("thought").asBoolean();
        String text = Json.text(part, "text");
        if (thought) {
            out.reasoning(text);
        } else {
            out.text(text);
        }
        if (!signature.isEmpty()) {
            out.reasoningEnd(new Seal(Dialect.GEMINI, thought ? THOUGHT : TEXT, signature));
        }
    }

    // {"name": "..", "args": {..}, "id": ".."}
    private void readCall(JsonNode call, String signature, DeltaSink out) {
        int index = callCount++;
        JsonNode args = call.path("args");
        String json = args.isObject() ? args.toString() : "{}";
        String given = Json.text(call, "id");
        String id = given.isEmpty() ? idOf(index, Json.text(call, "name") + json) : given;
        Seal seal = signature.isEmpty() ? null : new Seal(Dialect.GEMINI, "", signature);
        out.toolCall(index, id, Json.text(call, "name"), seal);
        out.arguments(index, json);
        out.toolCallEnd(index);
    }

    /** An id that the same answer has each time: Gemini gives calls none, the other dialects need one. */
    private String idOf(int index, String content) {
        String base = responseId.isEmpty()
                ? Integer.toHexString(content.hashCode())
                : responseId.replaceAll("[^A-Za-z0-9-]", "-");
        return "call_" + base + "_" + index;
    }

    private void readFinish(JsonNode candidate, DeltaSink out) {
        String reason = Json.text(candidate, "finishReason");
        if (FAILED.contains(reason)) {
            String message = Json.text(candidate, "finishMessage");
            out.error(new ModelError(502, reason, message.isEmpty() ? "the model failed: " + reason : message));
        } else if (FILTERED.contains(reason)) {
            stop(StopReason.CONTENT_FILTER, out);
        } else if (!reason.isEmpty() && !reason.equals("FINISH_REASON_UNSPECIFIED")) {
            stop(
                    switch (reason) {
                        case "STOP" -> callCount > 0 ? StopReason.TOOL_CALLS : StopReason.END;
                        case "MAX_TOKENS" -> StopReason.LENGTH;
                        default -> StopReason.OTHER;
                    },
                    out);
        }
    }

    private void stop(StopReason reason, DeltaSink out) {
        stopReason = reason;
        out.stop(reason, null);
    }

    private static void readUsage(JsonNode usage, DeltaSink out) {
        if (!usage.isObject()) {
            return;
        }
        long answer = Json.count(usage, "candidatesTokenCount");
        long thoughts = Json.count(usage, "thoughtsTokenCount");
        boolean told = answer >= 0 || thoughts >= 0;
        out.usage(new TokenCounts(
                Json.count(usage, "promptTokenCount"),
                Json.count(usage, "cachedContentTokenCount"),
                -1,
                told ? Math.max(0, answer) + Math.max(0, thoughts) : -1,
                thoughts));
    }
}
