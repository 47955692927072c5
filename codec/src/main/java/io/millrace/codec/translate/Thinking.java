package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/**
 * How much the model should reason before it answers. What is {@code null} was not said.
 *
 * @param enabled whether it should at all
 * @param effort {@code minimal}, {@code low}, {@code medium}, {@code high}, {@code xhigh} or {@code max}
 * @param budgetTokens most tokens for it
 * @param shown whether the client wants to read it
 */
public record Thinking(
        @Nullable Boolean enabled,
        @Nullable String effort,
        @Nullable Long budgetTokens,
        @Nullable Boolean shown) {
    /** Nothing was said. */
    static final Thinking NONE = new Thinking(null, null, null, null);
}
