package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** The common parts of streamed and whole answers of Gemini. */
final class GeminiShapes {
    /** The Base64 of the beginning of an encoded seal. */
    private static final String CARRIED_MARK = "bXIxL";

    private GeminiShapes() {}

    static void putText(JsonText parts, String text) {
        parts.object().put("text", text).endObject();
    }

    static void putThought(JsonText parts, String text) {
        parts.object().put("text", text).put("thought", true).endObject();
    }

    static void putMedia(JsonText parts, Part.Media media) {
        boolean data = media.url() == null;
        parts.object().object(data ? "inlineData" : "fileData");
        parts.put("mimeType", media.mediaType()).put(data ? "data" : "fileUri", data ? media.data() : media.url());
        parts.endObject().endObject();
    }

    /** Puts a thought signature, in a part without text. It follows the text that it belongs to. */
    static void putSeal(JsonText parts, Seal seal) {
        parts.object().put("text", "");
        if (seal.origin() != Dialect.GEMINI || seal.kind().equals(GeminiDeltaReader.THOUGHT)) {
            parts.put("thought", true);
        }
        parts.put("thoughtSignature", carried(seal)).endObject();
    }

    /** Puts the code that a tool like Google's has run, and its output. */
    static void putCode(JsonText parts, Part.HostedUse use) {
        parts.object().object("executableCode").put("language", "PYTHON").put("code", use.input());
        parts.endObject().endObject();
        parts.object().object("codeExecutionResult");
        parts.put("outcome", use.failed() ? "OUTCOME_FAILED" : "OUTCOME_OK").put("output", use.output());
        parts.endObject().endObject();
    }

    /**
     * Puts a whole call.
     *
     * @return false if nothing was written, because the arguments are no JSON object: the model was cut, or wrote other
     *     text
     */
    static boolean putCall(JsonText parts, Part.ToolCall call) {
        ObjectNode arguments = call.arguments().isBlank() ? Json.object() : Json.parseObject(call.arguments());
        if (arguments == null) {
            return false;
        }
        parts.object().object("functionCall").put("id", call.id()).put("name", call.name());
        parts.putJson("args", arguments.toString()).endObject();
        if (call.seal() != null) {
            parts.put("thoughtSignature", carried(call.seal()));
        }
        parts.endObject();
        return true;
    }

    /**
     * Puts the finish reason after the parts.
     *
     * @param reason why the answer ended, null if that is not known
     * @param garbled the name of a call that could not be written, null if there is none; it decides the reason unless
     *     the answer was cut
     */
    static void putFinish(JsonText candidate, @Nullable StopReason reason, @Nullable String garbled) {
        boolean cut = reason == StopReason.LENGTH || reason == StopReason.CONTEXT_FULL;
        if (garbled != null && !cut) {
            candidate
                    .put("finishReason", "MALFORMED_FUNCTION_CALL")
                    .put("finishMessage", "The arguments of " + garbled + " are not a JSON object.");
            return;
        }
        candidate.put(
                "finishReason",
                switch (reason == null ? StopReason.PAUSE : reason) {
                    case END, STOP_SEQUENCE, TOOL_CALLS, OTHER -> "STOP";
                    case LENGTH, CONTEXT_FULL -> "MAX_TOKENS";
                    case CONTENT_FILTER, REFUSAL -> "SAFETY";
                    case PAUSE, STOPPED -> "OTHER";
                });
    }

    static void putUsage(JsonText json, TokenCounts counts) {
        if (!counts.isKnown()) {
            return;
        }
        long input = Math.max(0, counts.input());
        long output = Math.max(0, counts.output());
        long thoughts = Math.min(Math.max(0, counts.reasoning()), output);
        json.object("usageMetadata")
                .put("promptTokenCount", input)
                .put("candidatesTokenCount", output - thoughts)
                .put("totalTokenCount", input + output);
        if (counts.reasoning() >= 0) {
            json.put("thoughtsTokenCount", thoughts);
        }
        if (counts.cacheRead() >= 0) {
            json.put("cachedContentTokenCount", counts.cacheRead());
        }
        json.endObject();
    }

    /**
     * A seal as a thought signature. Google's SDKs read a signature as bytes in Base64, so the seal of another provider
     * is written in Base64, too.
     */
    static String carried(Seal seal) {
        return seal.origin() == Dialect.GEMINI
                ? seal.value()
                : Base64.getEncoder().encodeToString(seal.encode().getBytes(StandardCharsets.US_ASCII));
    }

    /** The seal from which {@link #carried} made this signature, null if the signature is Gemini's own. */
    static @Nullable Seal foreignSeal(String signature) {
        if (!signature.startsWith(CARRIED_MARK)) {
            return null;
        }
        try {
            return Seal.decode(new String(Base64.getDecoder().decode(signature), StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
