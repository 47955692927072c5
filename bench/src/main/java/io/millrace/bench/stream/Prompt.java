package io.millrace.bench.stream;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * What a model is asked.
 *
 * @param text of the one user message; null if there are {@code messages}
 * @param messages the dialect's own list of messages, sent as it is; null if there is {@code text}
 * @param maxTokens of the answer; 0 to leave that to the request's own setting
 */
public record Prompt(@Nullable String text, @Nullable JsonNode messages, int maxTokens) {
    /** One user message. */
    public static Prompt of(String text) {
        return new Prompt(text, null, 0);
    }
}
