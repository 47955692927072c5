package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The fields for thinking in a Messages request, as the model accepts them. */
final class MessagesThinking {
    private static final long MIN_BUDGET = 1024;

    /**
     * The budgets of the words for effort. Together with the default limit of the answer they are within the limits of
     * all models that accept budgets.
     */
    private static final Map<String, Long> BUDGETS = Map.of("minimal", 1024L, "low", 2048L, "medium", 8192L);

    private static final long HIGH_BUDGET = 15_360;

    private final ClaudeModel model;
    private final Thinking thinking;
    private final @Nullable Long maxTokens;
    private final boolean forced;

    /** Reads the request. A model that is forced to call a tool cannot think. */
    MessagesThinking(ModelRequest request, ClaudeModel model) {
        this.model = model;
        thinking = request.thinking() == null ? Thinking.NONE : request.thinking();
        maxTokens = request.maxTokens();
        ToolChoice choice = request.tools().isEmpty() ? null : request.toolChoice();
        forced = choice != null && choice.mode() != ToolChoice.Mode.AUTO && choice.mode() != ToolChoice.Mode.NONE;
    }

    /** Whether the model is asked to think. */
    boolean isOn() {
        boolean asked = Boolean.TRUE.equals(thinking.enabled());
        return asked && !forced && model.thinks() && (adaptive() || budget() != null);
    }

    /** The word for the effort, null if there is none. */
    @Nullable
    String effort() {
        if (!model.adapts() || Boolean.FALSE.equals(thinking.enabled())) {
            return null;
        }
        String effort = thinking.effort();
        if (effort == null && thinking.budgetTokens() != null && !model.takesBudget()) {
            return Effort.ofBudget(thinking.budgetTokens());
        }
        return "minimal".equals(effort) ? "low" : effort;
    }

    /** The most tokens for thinking, null if there is no budget. It is below the limit of the whole answer. */
    @Nullable
    Long budget() {
        if (adaptive() || thinking.enabled() == null) {
            return null;
        }
        Long asked = thinking.budgetTokens();
        boolean room = maxTokens == null || maxTokens > MIN_BUDGET;
        if (asked == null) {
            return room ? within(BUDGETS.getOrDefault(effortOrMedium(), HIGH_BUDGET)) : null;
        }
        if (!room) {
            throw new TranslationException(
                    RequestField.THINKING, "in Messages, thinking needs more than 1,024 tokens in all");
        }
        return within(Math.max(MIN_BUDGET, asked));
    }

    /** Puts the fields into a request. */
    void put(ObjectNode body) {
        String effort = effort();
        if (effort != null) {
            body.withObject("output_config").put("effort", effort);
        }
        if (isOn()) {
            ObjectNode written = body.putObject("thinking");
            Long budget = budget();
            if (budget == null) {
                written.put("type", "adaptive");
            } else {
                written.put("type", "enabled").put("budget_tokens", budget);
            }
            if (thinking.shown() != null) {
                written.put("display", thinking.shown() ? "summarized" : "omitted");
            }
        } else if (Boolean.FALSE.equals(thinking.enabled()) && model.thinks()) {
            body.putObject("thinking").put("type", "disabled");
        }
    }

    private boolean adaptive() {
        boolean budgeted = thinking.budgetTokens() != null && model.takesBudget();
        return model.adapts() && !budgeted;
    }

    private String effortOrMedium() {
        return thinking.effort() == null ? "medium" : thinking.effort();
    }

    private long within(long budget) {
        long most = maxTokens == null ? Long.MAX_VALUE - MessagesRequestWriter.DEFAULT_MAX_TOKENS : maxTokens - 1;
        return Math.min(budget, most);
    }
}
