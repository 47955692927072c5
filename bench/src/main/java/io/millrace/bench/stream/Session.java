package io.millrace.bench.stream;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A session of several turns. The prompt of each turn is all that was said before, what was answered, and a new message.
 *
 * @param turns at least one, in order
 * @param tools what the model may call, in the dialect's form; null for the tool of the tool turns, if there are any
 */
public record Session(List<Turn> turns, @Nullable JsonNode tools) {
    /** Copies the list. */
    public Session {
        if (turns.isEmpty()) {
            throw new IllegalArgumentException("session: no turn (expected: at least one)");
        }
        turns = List.copyOf(turns);
    }

    /** Whether one of its turns sends the result of a tool. */
    public boolean hasToolTurns() {
        return turns.stream().anyMatch(Turn::isTool);
    }

    /**
     * One turn.
     *
     * @param afterEndNs the earliest start, as nanoseconds after the end of the turn before
     * @param afterDueNs the earliest start, as nanoseconds after the turn before was due
     * @param isTool whether its message is the result of a tool that the answer before has called
     * @param isFresh whether what was said before is left out
     * @param text the new message; null if there are {@code messages}
     * @param messages the new messages in the dialect's form; null if there is {@code text}
     * @param maxTokens of the answer; 0 to use the template's setting
     */
    public record Turn(
            long afterEndNs,
            long afterDueNs,
            boolean isTool,
            boolean isFresh,
            @Nullable Supplier<String> text,
            @Nullable JsonNode messages,
            int maxTokens) {
        /** A message of a user. */
        public static Turn user(long afterEndNs, Supplier<String> text) {
            return new Turn(afterEndNs, 0, false, false, text, null, 0);
        }

        /** The result of a tool that ran for {@code afterEndNs}. */
        public static Turn tool(long afterEndNs, Supplier<String> text) {
            return new Turn(afterEndNs, 0, true, false, text, null, 0);
        }
    }
}
