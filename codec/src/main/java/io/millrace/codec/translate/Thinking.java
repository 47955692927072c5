package io.millrace.codec.translate;

/**
 * How much the model should reason before it answers. What is {@code null} was not said.
 *
 * @param enabled whether it should at all
 * @param effort {@code minimal}, {@code low}, {@code medium}, {@code high}, {@code xhigh} or {@code max}
 * @param budgetTokens most tokens for it
 * @param shown whether the client wants to read it
 */
public record Thinking(Boolean enabled, String effort, Long budgetTokens, Boolean shown) {}
