package io.millrace.bench.session;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.bench.session.Trace.Recorded;
import io.millrace.bench.stream.Session;
import io.millrace.bench.stream.Session.Turn;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a Mooncake trace, with AIPerf's additions: {@code session_id}, {@code delay}, {@code text_input},
 * {@code messages}, {@code tools}. Lines of one {@code session_id} are the turns of one session. A line without it is a
 * session of one turn.
 */
final class MooncakeTrace {
    /** The tokens of a block, as in the published traces. */
    private static final int BLOCK = 512;

    private final Map<String, Lines> sessions = new LinkedHashMap<>();
    private int anonymous;

    private static final class Lines {
        final List<Turn> turns = new ArrayList<>();
        long startNs;
        long lastNs;

        @Nullable
        JsonNode tools;
    }

    /** Takes one line. */
    void add(JsonNode line) {
        if (!line.isObject()) {
            throw new IllegalArgumentException("no request (expected: a JSON object)");
        }
        String id = line.has("session_id") ? "s" + line.get("session_id").asText() : "l" + anonymous++;
        var lines = sessions.computeIfAbsent(id, key -> new Lines());
        long atNs = millis(line, "timestamp", "created_time");
        long afterEndNs = Math.max(0, millis(line, "delay", "delay_ms"));
        if (lines.turns.isEmpty()) {
            lines.startNs = Math.max(0, atNs);
        }
        long sinceNs = lines.turns.isEmpty() || atNs < 0 || line.has("delay") ? 0 : Math.max(0, atNs - lines.lastNs);
        lines.lastNs = Math.max(lines.lastNs, atNs);
        if (line.has("tools")) {
            lines.tools = line.get("tools");
        }
        lines.turns.add(turn(line, lines.turns.isEmpty() ? 0 : afterEndNs, sinceNs));
    }

    /** The sessions of all lines. */
    List<Recorded> sessions() {
        return sessions.values().stream()
                .map(lines -> new Recorded(lines.startNs, new Session(lines.turns, lines.tools)))
                .toList();
    }

    private static Turn turn(JsonNode line, long afterEndNs, long sinceNs) {
        int maxTokens = (int) number(line, "output_length", "output_tokens");
        JsonNode messages = line.get("messages");
        if (messages != null) {
            boolean whole = !line.path("message_mode").asText().equals("delta");
            return new Turn(afterEndNs, sinceNs, false, whole, null, messages, Math.max(0, maxTokens));
        }
        Supplier<String> text;
        if (line.has("text_input")) {
            String given = line.get("text_input").asText();
            text = () -> given;
        } else {
            long words = number(line, "input_length", "input_tokens");
            if (words < 1) {
                throw new IllegalArgumentException("no prompt (expected: input_length, text_input or messages)");
            }
            text = Blocks.text((int) words, line.get("hash_ids"), BLOCK, 0);
        }
        return new Turn(afterEndNs, sinceNs, false, false, text, null, Math.max(0, maxTokens));
    }

    /** The milliseconds under one of the names as nanoseconds; -1 if there are none. */
    private static long millis(JsonNode line, String name, String other) {
        JsonNode value = line.has(name) ? line.get(name) : line.path(other);
        if (value.isMissingNode() || value.isNull()) {
            return -1;
        }
        if (!value.isNumber() || value.asDouble() < 0) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: milliseconds)");
        }
        return Math.round(value.asDouble() * TimeUnit.MILLISECONDS.toNanos(1));
    }

    private static long number(JsonNode line, String name, String other) {
        return line.has(name) ? line.get(name).asLong() : line.path(other).asLong(-1);
    }
}
