package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/** Converts reasoning effort between words and budgets in tokens. */
final class Effort {
    private static final long LOW_BUDGET = 4096;
    private static final long MEDIUM_BUDGET = 16384;

    private Effort() {}

    /**
     * OpenAI's word for the effort; {@code null} leaves it to the model. It is also {@code null} if the client wants no
     * reasoning, because many models refuse that setting.
     */
    static @Nullable String openAi(@Nullable Thinking thinking) {
        if (thinking == null || Boolean.FALSE.equals(thinking.enabled())) {
            return null;
        }
        if (thinking.effort() != null) {
            return thinking.effort().equals("max") ? "xhigh" : thinking.effort();
        }
        return thinking.budgetTokens() == null ? null : ofBudget(thinking.budgetTokens());
    }

    /** The word for a budget. */
    static String ofBudget(long tokens) {
        if (tokens <= LOW_BUDGET) {
            return "low";
        }
        return tokens <= MEDIUM_BUDGET ? "medium" : "high";
    }
}
