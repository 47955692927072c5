package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/**
 * How much the model should reason before it answers. A component that was not given is {@code null}.
 *
 * @param enabled whether it should reason at all
 * @param effort {@code minimal}, {@code low}, {@code medium}, {@code high}, {@code xhigh} or {@code max}
 * @param budgetTokens the most tokens for reasoning
 * @param shown whether the client wants to read the reasoning
 */
public record Thinking(
        @Nullable Boolean enabled,
        @Nullable String effort,
        @Nullable Long budgetTokens,
        @Nullable Boolean shown) {
    /** No component was given. */
    static final Thinking NONE = new Thinking(null, null, null, null);
}
