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
        @Nullable String retryAfter) {}
