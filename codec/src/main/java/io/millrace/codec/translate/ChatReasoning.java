package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/** Reads how much reasoning a Chat Completions client wants. Each family of servers has a field of its own for it. */
final class ChatReasoning {
    private ChatReasoning() {}

    /** The settings for reasoning, null if the body has none. */
    static @Nullable Thinking read(JsonFields body) {
        String effort = effort(body.text("reasoning_effort"));
        Boolean shown = body.flag("include_reasoning");
        Boolean enabled = body.flag("enable_thinking");
        Long budget = body.integer("thinking_budget");

        JsonFields template = body.object("chat_template_kwargs");
        if (template != null) {
            enabled = first(enabled, template.flag("enable_thinking"), template.flag("thinking"));
            effort = effort == null ? effort(template.text("reasoning_effort")) : effort;
            template.dropOthers();
        }
        JsonFields thinking = body.object("thinking");
        if (thinking != null) {
            String type = thinking.text("type");
            enabled = first(enabled, type == null ? null : Boolean.valueOf(!type.equals("disabled")));
            budget = budget == null ? thinking.integer("budget_tokens") : budget;
            thinking.ignore("clear_thinking");
            thinking.dropOthers();
        }
        JsonFields reasoning = body.object("reasoning");
        if (reasoning != null) {
            effort = effort == null ? effort(reasoning.text("effort")) : effort;
            enabled = first(enabled, reasoning.flag("enabled"));
            budget = budget == null ? reasoning.integer("max_tokens") : budget;
            Boolean hidden = reasoning.flag("exclude");
            shown = first(shown, hidden == null ? null : Boolean.valueOf(!hidden));
            reasoning.ignore("summary", "generate_summary");
            reasoning.dropOthers();
        }
        return thinking(enabled, effort, budget, shown);
    }

    private static @Nullable Thinking thinking(
            @Nullable Boolean enabled, @Nullable String effort, @Nullable Long budget, @Nullable Boolean shown) {
        if ("none".equals(effort) || (effort == null && Boolean.FALSE.equals(enabled))) {
            return new Thinking(false, null, null, shown);
        }
        Long most = budget == null || budget <= 0 ? null : budget;
        boolean asked = effort != null || most != null || Boolean.TRUE.equals(enabled);
        if (!asked && shown == null) {
            return null;
        }
        return new Thinking(asked ? true : null, effort, most, shown);
    }

    /** The effort; null for the words of some servers that leave the effort to the model. */
    private static @Nullable String effort(@Nullable String word) {
        return "default".equals(word) || "auto".equals(word) ? null : word;
    }

    private static @Nullable Boolean first(@Nullable Boolean... flags) {
        for (Boolean flag : flags) {
            if (flag != null) {
                return flag;
            }
        }
        return null;
    }
}
