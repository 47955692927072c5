package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads Gemini's responses. A response of a stream and a whole answer have the same shape. There is no last frame: a
 * stream ends with its body, after a response with the reason. Searches and sources are reported at the end.
 */
final class GeminiDeltaReader extends FrameReader {
    /** The kinds of seals: of thoughts, of a call, and of text. */
    static final String THOUGHT = "thought";

    static final String TEXT = "text";

    private final CallAssembler calls = new CallAssembler(Set.of());
    private String responseId = "";
    private final GeminiGrounding grounding = new GeminiGrounding();
    private String code = "";
    private int callCount;
    private @Nullable StopReason stopReason;

    GeminiDeltaReader() {
        super(Dialect.GEMINI);
    }

    @Override
    void read(ObjectNode json, DeltaSink out) {
        if (UpstreamErrors.isError(json, json.path("candidates")) && !isBlocked(json)) {
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
                grounding.read(candidate);
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

    /** Gemini does not send this frame, so it does not end the answer. */
    @Override
    void done(DeltaSink out) {}

    @Override
    public void finish(DeltaSink out) {
        if (stopReason != null) {
            end(out);
        }
    }

    @Override
    void readAnswer(ObjectNode json, DeltaSink out) {
        read(json, out);
        if (stopReason == null) {
            out.error(AnswerGrammar.garbled("it does not say why it ends"));
        } else {
            end(out);
        }
    }

    private void end(DeltaSink out) {
        grounding.tell(out);
        calls.finish(out);
        out.end();
    }

    @Override
    public long heldBytes() {
        return Character.BYTES * (grounding.heldChars() + code.length());
    }

    // {"executableCode": {"language": "PYTHON", "code": ".."}} {"codeExecutionResult": {"outcome": "OUTCOME_OK",
    // "output": ".."}}
    private void readCode(JsonNode part, DeltaSink out) {
        if (part.path("executableCode").isObject()) {
            code = Json.text(part.path("executableCode"), "code");
        }
        JsonNode result = part.path("codeExecutionResult");
        if (result.isObject()) {
            boolean failed = !Json.text(result, "outcome").equals("OUTCOME_OK");
            out.hosted(new Part.HostedUse(HostedKind.CODE, code, List.of(), Json.text(result, "output"), failed));
            code = "";
        }
    }

    private static boolean isBlocked(ObjectNode json) {
        return !UpstreamErrors.isSaid(json.path("error")) && UpstreamErrors.isSaid(json.path("promptFeedback"));
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
        readCode(part, out);
        JsonNode call = part.path("functionCall");
        if (call.isObject()) {
            readCall(call, signature, out);
            return;
        }
        if (!part.has("text")) {
            readMedia(part.path("inlineData"), "data", out);
            readMedia(part.path("fileData"), "fileUri", out);
        }
        boolean thought = part.path("thought").asBoolean();
        String text = Json.text(part, "text");
        if (thought) {
            out.reasoning(text);
        } else {
            grounding.text(text);
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
        String json = args.isContainerNode() ? args.toString() : args.asText("{}");
        String given = Json.text(call, "id");
        String id = given.isEmpty() ? idOf(index, Json.text(call, "name") + json) : given;
        Seal seal = signature.isEmpty() ? null : new Seal(Dialect.GEMINI, "", signature);
        calls.whole(id, Json.text(call, "name"), json, seal, out);
    }

    // {"mimeType": "image/png", "data": ".."}
    private static void readMedia(JsonNode media, String key, DeltaSink out) {
        String type = Json.text(media, "mimeType");
        String value = Json.text(media, key);
        if (!value.isEmpty()) {
            String known = type.isEmpty() ? "image/png" : type;
            out.media(key.equals("data") ? new Part.Media(known, value, null) : new Part.Media(known, null, value));
        }
    }

    /**
     * An id that is the same each time the same answer is read. Gemini gives calls no id, but the other dialects need
     * one.
     */
    private String idOf(int index, String content) {
        String base = responseId.isEmpty()
                ? Integer.toHexString(content.hashCode())
                : responseId.replaceAll("[^A-Za-z0-9-]", "-");
        return "call_" + base + "_" + index;
    }

    private void readFinish(JsonNode candidate, DeltaSink out) {
        String reason = Json.text(candidate, "finishReason");
        if (reason.isBlank() || reason.equals("FINISH_REASON_UNSPECIFIED")) {
            return;
        }
        if (StopWords.isFailure(reason)) {
            String message = Json.text(candidate, "finishMessage");
            out.error(StopWords.failure(reason, message.isEmpty() ? "the model failed: " + reason : message));
        } else {
            stop(StopWords.meaning(reason), out);
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
        long prompt = Json.count(usage, "promptTokenCount");
        out.usage(new TokenCounts(
                prompt,
                Json.count(usage, "cachedContentTokenCount"),
                -1,
                answer >= 0 || thoughts >= 0 ? Math.max(0, answer) + Math.max(0, thoughts) : answerOf(usage, prompt),
                thoughts));
    }

    /** The answer's tokens, computed from the total; -1 if the total has none for it. */
    private static long answerOf(JsonNode usage, long prompt) {
        long total = Json.count(usage, "totalTokenCount");
        long tools = Math.max(0, Json.count(usage, "toolUsePromptTokenCount"));
        return prompt < 0 || total <= prompt + tools ? -1 : total - prompt - tools;
    }
}
