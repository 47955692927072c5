package io.millrace.server.http;

import org.jspecify.annotations.Nullable;

/**
 * An answer of the relay's own, given once the request has been read so that the connection can go on.
 *
 * @param status the HTTP status
 * @param code what went wrong, for programs
 * @param message what went wrong, for people
 * @param field the request's field that is wrong, or null
 * @param retryAfter the value of {@code Retry-After}, or null
 */
public record Refusal(
        int status,
        String code,
        String message,
        @Nullable String field,
        @Nullable String retryAfter) {
    /** One that is about no field, and that says nothing of another try. */
    public static Refusal of(int status, String code, String message) {
        return new Refusal(status, code, message, null, null);
    }

    /** 503: the relay has too much to do, and the client should try again soon. */
    public static Refusal overloaded(String message) {
        return new Refusal(503, "relay_overloaded", message, null, "1");
    }
}
