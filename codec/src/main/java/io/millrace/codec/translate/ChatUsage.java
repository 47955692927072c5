package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Reads the counts of Chat Completions from all the places in which servers send them. */
final class ChatUsage {
    private ChatUsage() {}

    /** Reports the counts of a chunk or an answer, if it has any. */
    static void read(ObjectNode json, JsonNode choices, DeltaSink out) {
        JsonNode usage = json.path("usage");
        if (!usage.isObject()) {
            usage = json.path("x_groq").path("usage");
        }
        for (int i = 0; i < choices.size() && !usage.isObject(); i++) {
            usage = choices.path(i).path("usage");
        }
        if (usage.isObject()) {
            out.usage(counts(usage));
        }
    }

    private static TokenCounts counts(JsonNode usage) {
        JsonNode details = usage.path("prompt_tokens_details");
        long input = first(Json.count(usage, "prompt_tokens"), Json.count(usage, "input_tokens"));
        long answer = first(Json.count(usage, "completion_tokens"), Json.count(usage, "output_tokens"));
        long reasoning = first(
                Json.count(usage.path("completion_tokens_details"), "reasoning_tokens"),
                Json.count(usage, "reasoning_tokens"));
        long cached = first(
                Json.count(details, "cached_tokens"),
                Json.count(usage, "cached_tokens"),
                Json.count(usage, "prompt_cache_hit_tokens"),
                Json.count(usage, "cache_read_input_tokens"));
        long written = first(
                Json.count(details, "cache_write_tokens"),
                Json.count(details, "cache_creation_tokens"),
                Json.count(usage, "cache_creation_input_tokens"));
        long apart = apart(Json.count(usage, "total_tokens"), input, answer, reasoning, cached, written);
        return new TokenCounts(input, cached, written, answer + apart, reasoning);
    }

    /** The tokens that only the total includes: some servers do not count reasoning as tokens of the answer. */
    private static long apart(long total, long input, long answer, long reasoning, long cached, long written) {
        long missing = total - input - answer;
        if (input < 0 || answer < 0 || missing <= 0) {
            return 0;
        }
        long cache = Math.max(0, cached);
        boolean isCache = missing == cache || missing == written || missing == cache + Math.max(0, written);
        boolean isReasoning = missing == reasoning;
        return isReasoning || (reasoning <= 0 && !isCache) ? missing : 0;
    }

    /** The first count above zero; otherwise zero if one count is known, and -1 if none is. */
    private static long first(long... counts) {
        long found = -1;
        for (long count : counts) {
            if (count > 0) {
                return count;
            }
            found = Math.max(found, count);
        }
        return found;
    }
}
