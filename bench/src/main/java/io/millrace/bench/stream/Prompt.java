package io.millrace.bench.stream;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * The prompt of one stream.
 *
 * @param text of the one user message; null if there are {@code messages}
 * @param messages the list of messages in the dialect's form, which is sent unchanged; null if there is {@code text}
 * @param maxTokens of the answer; 0 to use the template's setting
 * @param tools what the model may call, in the dialect's form; null for none
 */
public record Prompt(
        @Nullable String text,
        @Nullable JsonNode messages,
        int maxTokens,
        @Nullable JsonNode tools) {
    /** A prompt without tools. */
    public Prompt(@Nullable String text, @Nullable JsonNode messages, int maxTokens) {
        this(text, messages, maxTokens, null);
    }

    /** One user message. */
    public static Prompt of(String text) {
        return new Prompt(text, null, 0);
    }
}
