package io.millrace.server.config;

import java.time.Duration;

/**
 * How often a target is tried before its first output, and how long is waited between two attempts. Nothing is retried
 * after the first output.
 *
 * @param attempts at one target, the first included
 * @param base wait before the first retry at the same origin, doubled for each further one; the wait is a random part of it
 * @param cap of that wait
 * @param retryAfterCap the longest wait that an upstream may ask for; one that asks for more is left for the next target
 * @param total no attempt begins later than this after the request was read
 * @param sentOnce whether a request that was handed to the kernel whole is never sent again, to no target
 */
public record Retry(
        int attempts, Duration base, Duration cap, Duration retryAfterCap, Duration total, boolean sentOnce) {
    /** Three attempts, 250 ms to 8 s between them, an upstream's own wish up to 10 s, ten minutes in all. */
    public static final Retry DEFAULT =
            new Retry(3, Duration.ofMillis(250), Duration.ofSeconds(8), Duration.ofSeconds(10), Duration.ofMinutes(10));

    /** One attempt at each target, and the next only where nothing can have been done at the one before. */
    public static final Retry OFF = new Retry(1, DEFAULT.base, DEFAULT.cap, DEFAULT.retryAfterCap, DEFAULT.total, true);

    public Retry {
        Checks.range("attempts", attempts, 1, 20);
        Checks.notNegative("base", base);
        Checks.notNegative("cap", cap);
        Checks.notNegative("retryAfterCap", retryAfterCap);
        Checks.positive("total", total);
        Checks.atMost("base", base, "cap", cap);
    }

    /** A request may be sent as often as {@code attempts} allows. */
    public Retry(int attempts, Duration base, Duration cap, Duration retryAfterCap, Duration total) {
        this(attempts, base, cap, retryAfterCap, total, false);
    }

    /** This with another {@code attempts}. */
    public Retry withAttempts(int attempts) {
        return new Retry(attempts, base, cap, retryAfterCap, total, sentOnce);
    }

    /** This with another {@code base}. */
    public Retry withBase(Duration base) {
        return new Retry(attempts, base, cap, retryAfterCap, total, sentOnce);
    }

    /** This with another {@code cap}. */
    public Retry withCap(Duration cap) {
        return new Retry(attempts, base, cap, retryAfterCap, total, sentOnce);
    }

    /** This with another {@code retryAfterCap}. */
    public Retry withRetryAfterCap(Duration retryAfterCap) {
        return new Retry(attempts, base, cap, retryAfterCap, total, sentOnce);
    }

    /** This with another {@code total}. */
    public Retry withTotal(Duration total) {
        return new Retry(attempts, base, cap, retryAfterCap, total, sentOnce);
    }
}
