package io.millrace.server.mock;

import java.util.List;
import java.util.function.Supplier;

/**
 * The response to a request.
 *
 * @param headers further header lines, each {@code name: value}
 * @param script makes the body; called twice if the length must be known before
 * @param stream whether the body is an event stream: only a stream has a pace and is chunked
 * @param bodiless whether the body is left out (HEAD); the head still has its length
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
        Supplier<Script> script = () -> new Script().add(Script.Kind.OUTPUT, body);
        return new Reply(status, "application/json", List.of(), script, false, false, 0);
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

    /** This response to a prompt of that many tokens, which delays it. */
    Reply withPromptTokens(int promptTokens) {
        return new Reply(status, contentType, headers, script, stream, bodiless, promptTokens);
    }

    /** Whether the status forbids a body and its length (RFC 9110 sections 15.3.5 and 15.4.5). */
    boolean hasNoContent() {
        return status == 204 || status == 304;
    }
}
