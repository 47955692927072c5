package io.millrace.codec.translate;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The meaning of the words with which servers end an answer. They have the same meaning in every dialect, because
 * compatible servers use words of other dialects. Case and the characters between words do not matter.
 */
final class StopWords {
    /**
     * The words in lower and in upper case, so that most are found without a conversion. Some servers send one in each
     * frame.
     */
    private static final Map<String, StopReason> WORDS = new HashMap<>();

    /** Words for a failure. The text so far is then no answer. */
    private static final Set<String> FAILURES = Set.of(
            "cancelled",
            "canceled",
            "interrupted",
            "insufficient_system_resource",
            "unexpected_tool_call",
            "too_many_tool_calls",
            "missing_thought_signature",
            "no_image",
            "image_other");

    private static final List<String> FAILURE_PARTS = List.of(
            "error", "fail", "abort", "malformed", "exception", "timeout", "timed_out", "unavailable", "overload");

    /** Parts of words that are not in the table. The first part that matches decides. */
    private static final List<Map.Entry<String, StopReason>> PARTS = List.of(
            Map.entry("context", StopReason.CONTEXT_FULL),
            Map.entry("filter", StopReason.CONTENT_FILTER),
            Map.entry("safety", StopReason.CONTENT_FILTER),
            Map.entry("policy", StopReason.CONTENT_FILTER),
            Map.entry("moderat", StopReason.CONTENT_FILTER),
            Map.entry("guardrail", StopReason.CONTENT_FILTER),
            Map.entry("sensitive", StopReason.CONTENT_FILTER),
            Map.entry("prohibited", StopReason.CONTENT_FILTER),
            Map.entry("recitation", StopReason.CONTENT_FILTER),
            Map.entry("refus", StopReason.REFUSAL),
            Map.entry("tool", StopReason.TOOL_CALLS),
            Map.entry("function_call", StopReason.TOOL_CALLS),
            Map.entry("stop_seq", StopReason.STOP_SEQUENCE),
            Map.entry("max_", StopReason.LENGTH),
            Map.entry("length", StopReason.LENGTH),
            Map.entry("limit", StopReason.LENGTH),
            Map.entry("truncat", StopReason.LENGTH),
            Map.entry("pause", StopReason.PAUSE));

    static {
        put(StopReason.END, "stop", "end", "end_turn", "eos", "eos_token", "complete", "completed", "done", "finished");
        put(StopReason.STOP_SEQUENCE, "stop_sequence", "stop_word");
        put(
                StopReason.LENGTH,
                "length",
                "max_tokens",
                "max_output_tokens",
                "continuation",
                "incomplete",
                "max_messages");
        put(StopReason.CONTEXT_FULL, "model_length", "max_model_length", "prompt_too_long");
        put(StopReason.TOOL_CALLS, "tool_calls", "tool_use", "function_call");
        put(
                StopReason.CONTENT_FILTER,
                "content_filter",
                "sensitive",
                "safety",
                "blocklist",
                "blocked",
                "block",
                "spii");
        put(StopReason.CONTENT_FILTER, "model_armor", "jailbreak", "language", "pup_limited_disabled", "risk");
        put(StopReason.REFUSAL, "refusal");
        put(StopReason.PAUSE, "pause_turn", "compaction");
        put(StopReason.STOPPED, "stopped", "steered");
    }

    private StopWords() {}

    /** Whether the word says that the answer failed. */
    static boolean isFailure(String word) {
        if (WORDS.containsKey(word)) {
            return false;
        }
        String plain = plain(word);
        return FAILURES.contains(plain) || FAILURE_PARTS.stream().anyMatch(plain::contains);
    }

    /** The meaning of a word that is not a failure; {@link StopReason#OTHER} if it is not known. */
    static StopReason meaning(String word) {
        StopReason exact = WORDS.get(word);
        if (exact != null) {
            return exact;
        }
        String plain = plain(word);
        StopReason known = WORDS.get(plain);
        if (known != null) {
            return known;
        }
        for (Map.Entry<String, StopReason> part : PARTS) {
            if (plain.contains(part.getKey())) {
                return part.getValue();
            }
        }
        return StopReason.OTHER;
    }

    /** The error for a word that means a failure. */
    static ModelError failure(String word, @Nullable String message) {
        String said = message == null || message.isBlank() ? "the upstream ended its answer: " + word : message;
        return new ModelError(502, word, said);
    }

    private static void put(StopReason reason, String... words) {
        for (String word : words) {
            WORDS.put(word, reason);
            WORDS.put(word.toUpperCase(Locale.ROOT), reason);
        }
    }

    private static String plain(String word) {
        String plain = word.strip().toLowerCase(Locale.ROOT).replace('-', '_').replace(' ', '_');
        return plain.startsWith("finish_reason_") ? plain.substring("finish_reason_".length()) : plain;
    }
}
