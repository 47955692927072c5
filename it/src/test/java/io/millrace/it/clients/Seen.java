package io.millrace.it.clients;

import java.util.List;

/**
 * What the user of an SDK saw in one scenario.
 *
 * @param name the scenario's
 * @param text all text, in order
 * @param deltas how many pieces it came in
 * @param spreadMs from the first piece to the last
 * @param toolCalls in order
 * @param usage null when none came
 * @param finish why the answer ended, in the SDK's words; null when it never said
 * @param error null when the user would take it for a success
 */
record Seen(
        String name,
        String text,
        int deltas,
        long spreadMs,
        List<ToolCall> toolCalls,
        Usage usage,
        String finish,
        Failure error) {

    /** A tool call with its complete arguments. */
    record ToolCall(String name, String arguments) {}

    /** Tokens as the SDK reports them. */
    record Usage(Long input, Long output) {}

    /**
     * The error that the user can catch.
     *
     * @param classes simple names, most specific first
     * @param status HTTP status, null when the error has none
     * @param message for people
     */
    record Failure(List<String> classes, Integer status, String message) {}

    /** Everything except the timing, which differs between runs. */
    Seen timeless() {
        return new Seen("", text, 0, 0, toolCalls, usage, finish, error);
    }
}
