package io.millrace.server.mock;

import java.util.List;
import java.util.function.Supplier;

/**
 * What a request gets.
 *
 * @param headers further header lines, each {@code name: value}
 * @param script makes the body; asked twice where the length must be known first
 * @param stream whether the body is an event stream: only that has a pace, and only that is chunked
 * @param bodiless whether the body is left out (HEAD), its length told all the same
 */
record Reply(
        int status,
        String contentType,
        List<String> headers,
        Supplier<Script> script,
        boolean stream,
        boolean bodiless,
        int promptTokens) {
    static Reply json(int status, String body) {
        return new Reply(status, "application/json", List.of(), body(body), false, false, 0);
    }

    static Reply stream(Supplier<Script> script) {
        return new Reply(200, "text/event-stream; charset=utf-8", List.of(), script, true, false, 0);
    }

    Reply withHeaders(List<String> headers) {
        return new Reply(status, contentType, headers, script, stream, bodiless, promptTokens);
    }

    Reply withoutBody() {
        return new Reply(status, contentType, headers, script, stream, true, promptTokens);
    }

    /** The same for a prompt of that many tokens, which takes its time. */
    Reply withPromptTokens(int promptTokens) {
        return new Reply(status, contentType, headers, script, stream, bodiless, promptTokens);
    }

    /** Whether the status forbids a body (RFC 9110 sections 15.3.5 and 15.4.5); its length is not told either. */
    boolean hasNoContent() {
        return status == 204 || status == 304;
    }

    private static Supplier<Script> body(String body) {
        return () -> new Script().add(Script.Kind.OUTPUT, body);
    }
}
