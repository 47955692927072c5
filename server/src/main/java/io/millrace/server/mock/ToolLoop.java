package io.millrace.server.mock;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.mock.Conversation.Entry;
import io.millrace.server.mock.Conversation.Kind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * A model that works with a client's tools. In its first turn it makes one call, in each further turn two calls at
 * once. In its last turn it repeats the results in words. It knows its turn from the entries of the conversation that
 * follow the last words of a model. It refuses what providers refuse: a call without its result, a result without its
 * call, and reasoning that is not sent back unchanged.
 */
final class ToolLoop {
    private static final int PARALLEL = 2;
    private static final int LONGEST_RESULT = 60;
    private static final String SEAL = "mock-seal-";

    private final int turns;
    private final List<Entry> tail;
    private final List<Tool> tools;
    private final @Nullable String file;

    /**
     * @param turns the number of answers of a task; the last one has words
     * @param file the file that a tool is to read, or null
     */
    ToolLoop(JsonNode request, int turns, @Nullable String file) {
        this.turns = turns;
        this.file = file;
        tools = Tool.of(request);
        var entries = Conversation.of(request);
        int said = 0;
        for (int i = 0; i < entries.size(); i++) {
            if (entries.get(i).kind() == Kind.SAID) {
                said = i + 1;
            }
        }
        tail = entries.subList(said, entries.size());
    }

    /**
     * Checks that each call has its result, and that reasoning was sent back.
     *
     * @param seals accepts the seal that each turn with calls must have; null if there are no seals
     * @throws IllegalArgumentException with the message of a provider
     */
    void verify(@Nullable Predicate<String> seals) {
        var open = new ArrayList<String>();
        int sealed = 0;
        for (Entry entry : tail) {
            switch (entry.kind()) {
                case CALL -> open.add(entry.id());
                case RESULT -> {
                    if (!open.remove(entry.id())) {
                        throw new IllegalArgumentException("tool result: " + entry.id() + " (expected: of a call)");
                    }
                }
                case SEAL -> {
                    if (seals != null && !seals.test(entry.text())) {
                        throw new IllegalArgumentException(
                                "reasoning: " + entry.text() + " (expected: its signature or text as it was sent)");
                    }
                    sealed++;
                }
                default -> {}
            }
        }
        if (!open.isEmpty()) {
            throw new IllegalArgumentException("tool call: " + open + " (expected: a result for each)");
        }
        if (seals != null && sealed < turn()) {
            throw new IllegalArgumentException(
                    "reasoning: of " + sealed + " turns (expected: of each of the " + turn() + " with calls)");
        }
    }

    /** The number of completed turns with calls. */
    private int turn() {
        long calls = tail.stream().filter(entry -> entry.kind() == Kind.CALL).count();
        if (calls > 1 && calls % PARALLEL == 0) {
            throw new IllegalArgumentException("tool calls: " + calls + " (expected: all of a turn)");
        }
        return (int) ((calls + PARALLEL - 1) / PARALLEL);
    }

    /** The calls of this turn; none in the last turn. */
    List<ToolCall> calls() {
        int turn = turn();
        if (turn >= turns - 1) {
            return List.of();
        }
        if (turn == 0) {
            return command(1);
        }
        int first = turn * PARALLEL;
        var calls = new ArrayList<>(command(first));
        var read = file == null ? List.<ToolCall>of() : using(tool -> tool.reading(file));
        calls.addAll(read.isEmpty() ? command(first + 1) : read);
        return calls;
    }

    /** Whether tools have answered. */
    boolean hasResults() {
        return tail.stream().anyMatch(entry -> entry.kind() == Kind.RESULT);
    }

    /** The words of the last turn: the last line of each result. */
    String words() {
        var lines = new ArrayList<String>();
        for (Entry entry : tail) {
            if (entry.kind() == Kind.RESULT) {
                String[] all = entry.text().strip().split("\\R", -1);
                String last = all[all.length - 1].strip();
                lines.add(last.substring(0, Math.min(last.length(), LONGEST_RESULT)));
            }
        }
        return "The tools said: " + String.join("; ", lines) + ".";
    }

    private List<ToolCall> command(int number) {
        return using(tool -> tool.running("echo result-" + number));
    }

    private List<ToolCall> using(Function<Tool, String> arguments) {
        for (Tool tool : tools) {
            String made = arguments.apply(tool);
            if (made != null) {
                return List.of(ToolCall.of(tool, made));
            }
        }
        return List.of();
    }

    /** A signature of reasoning, which {@link #isSeal} accepts. */
    static String seal(long number) {
        String text = SEAL + number;
        var crc = new CRC32();
        crc.update(text.getBytes(StandardCharsets.US_ASCII));
        return Base64.getEncoder()
                .encodeToString((text + "-" + Long.toHexString(crc.getValue())).getBytes(StandardCharsets.US_ASCII));
    }

    static boolean isSeal(String seal) {
        try {
            String text = new String(Base64.getDecoder().decode(seal), StandardCharsets.US_ASCII);
            int end = text.lastIndexOf('-');
            return text.startsWith(SEAL)
                    && end > SEAL.length()
                    && seal.equals(seal(Long.parseLong(text.substring(SEAL.length(), end))));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
