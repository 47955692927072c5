package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import org.jspecify.annotations.Nullable;

/** The common parts of streamed answers, whole answers and requests of Messages. */
final class MessagesShapes {
    /** The kind of a seal for the {@code data} of redacted thinking. Other seals are signatures. */
    static final String REDACTED = "redacted";

    private MessagesShapes() {}

    static Seal signature(String signature) {
        return new Seal(Dialect.MESSAGES, "", signature);
    }

    static Seal redacted(String data) {
        return new Seal(Dialect.MESSAGES, REDACTED, data);
    }

    static boolean isRedacted(Seal seal) {
        return seal.origin() == Dialect.MESSAGES && seal.kind().equals(REDACTED);
    }

    /** The signature that a client gets for a seal: the provider's own, or the encoded seal of another provider. */
    static String signatureOf(Seal seal) {
        return seal.origin() == Dialect.MESSAGES ? seal.value() : seal.encode();
    }

    static @Nullable String stopReason(@Nullable StopReason reason, boolean refused) {
        if (reason == null) {
            return null;
        }
        return switch (reason) {
            case END -> refused ? "refusal" : "end_turn";
            case STOPPED, OTHER -> "end_turn";
            case STOP_SEQUENCE -> "stop_sequence";
            case LENGTH -> "max_tokens";
            case CONTEXT_FULL -> "model_context_window_exceeded";
            case TOOL_CALLS -> "tool_use";
            case CONTENT_FILTER, REFUSAL -> "refusal";
            case PAUSE -> "pause_turn";
        };
    }

    /** An id for the use of a tool that the provider runs. */
    static String hostedId(String messageId, int use) {
        return "srvtoolu_" + messageId.replaceAll("[^A-Za-z0-9]", "") + "_" + use;
    }

    /** Writes the client's name of a tool, and the toolset that the tool belongs to. */
    static void writeName(JsonText json, CallForm form) {
        json.put("name", form.name());
        json.putKnown("toolset_name", form.namespace());
    }

    /** Writes the counts as {@code usage}. Its input tokens do not include those that a cache read or wrote. */
    static void writeUsage(JsonText json, TokenCounts counts) {
        long cached = Math.max(0, counts.cacheRead()) + Math.max(0, counts.cacheWrite());
        json.object("usage").put("input_tokens", Math.max(0, counts.input() - cached));
        if (counts.cacheWrite() >= 0) {
            json.put("cache_creation_input_tokens", counts.cacheWrite());
        }
        if (counts.cacheRead() >= 0) {
            json.put("cache_read_input_tokens", counts.cacheRead());
        }
        json.put("output_tokens", Math.max(0, counts.output()));
        if (counts.reasoning() >= 0) {
            json.object("output_tokens_details")
                    .put("thinking_tokens", counts.reasoning())
                    .endObject();
        }
        json.endObject();
    }
}
