package io.millrace.server.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A response of the relay itself that refuses a request. It is sent after the request was read, so that the connection
 * can be used again.
 *
 * @param status the HTTP status
 * @param code what went wrong, for programs
 * @param message what went wrong, for people
 * @param field the request's field that is wrong, or null
 * @param retryAfter the value of {@code Retry-After}, or null
 * @param limit the limit that was reached, such as {@code requests} or {@code tokens}; null if the refusal has another
 *     reason
 * @param waitMs milliseconds after which the client may try again; 0 if that is not known exactly
 */
public record Refusal(
        int status,
        String code,
        String message,
        @Nullable String field,
        @Nullable String retryAfter,
        @Nullable String limit,
        long waitMs) {
    /** The advice for SDKs and people when they should not wait. Otherwise some SDKs would wait silently. */
    private static final long LONG_MS = 60_000;

    private static final double MOST_SPREAD = 0.1;

    public Refusal(int status, String code, String message, @Nullable String field, @Nullable String retryAfter) {
        this(status, code, message, field, retryAfter, null, 0);
    }

    /** A refusal that is not about a field and says nothing about another try. */
    public static Refusal of(int status, String code, String message) {
        return new Refusal(status, code, message, null, null);
    }

    /** 503: the relay has too much to do, and the client should try again soon. */
    public static Refusal overloaded(String message) {
        return new Refusal(503, "relay_overloaded", message, null, "1");
    }

    /**
     * A client sends more than its rate allows. Each client is told a slightly longer time, so that not all come back
     * at once.
     */
    public static Refusal limited(String limit, String message, long waitNs) {
        return limited("rate_limit_exceeded", limit, message, waitNs);
    }

    /** A client has used up its budget for a longer time. */
    public static Refusal spent(String message, long waitNs) {
        return limited("insufficient_quota", "insufficient_quota", message, waitNs);
    }

    private static Refusal limited(String code, String limit, String message, long waitNs) {
        double spread = 1 + ThreadLocalRandom.current().nextDouble(MOST_SPREAD);
        long waitMs = (long) (waitNs * spread) / TimeUnit.MILLISECONDS.toNanos(1) + 1;
        long seconds = (waitMs + 999) / 1000;
        return new Refusal(429, code, message, null, Long.toString(seconds), limit, waitMs);
    }

    /** Adds the fields of the answer's head. */
    public void addTo(HttpHeaders headers) {
        if (retryAfter != null) {
            headers.set(HttpHeaderNames.RETRY_AFTER, retryAfter);
        }
        if (waitMs > 0) {
            headers.set("retry-after-ms", Long.toString(waitMs));
        }
        if (waitMs > LONG_MS) {
            headers.set(HeaderRules.SHOULD_RETRY, "false");
        }
        if (status == 401) {
            headers.set(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer"); // RFC 9110 section 11.6.1
        }
    }
}
