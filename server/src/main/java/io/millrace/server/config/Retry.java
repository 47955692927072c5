package io.millrace.server.config;

import java.time.Duration;

/**
 * How often a target is tried before its first output, and how long the relay waits between two attempts. Nothing is
 * retried after the first output.
 *
 * @param attempts at one target, the first included
 * @param base wait before the first retry at the same origin, doubled for each further one; the wait is a random part of it
 * @param cap of that wait
 * @param retryAfterCap the longest wait that an upstream may ask for; one that asks for more is left for the next target
 * @param total no attempt begins later than this after the request was read
 * @param sentOnce whether a request that was handed to the kernel whole is never sent again, to no target
 */
public record Retry(int attempts, Duration base, Duration cap, Duration retryAfterCap, Duration total, boolean sentOnce)
        implements Settings<Retry, Retry.Builder> {
    /** Three attempts, 250 ms to 8 s between them, an upstream's own wait up to 10 s, ten minutes in total. */
    public static final Retry DEFAULT = Builders.build(Retry.class, new Builder());

    /** One attempt at each target. The next target follows only if the target before it cannot have done anything. */
    public static final Retry OFF = DEFAULT.with(r -> {
        r.attempts = 1;
        r.sentOnce = true;
    });

    public Retry {
        Checks.range("attempts", attempts, 1, 20);
        Checks.notNegative("base", base);
        Checks.notNegative("cap", cap);
        Checks.notNegative("retryAfterCap", retryAfterCap);
        Checks.positive("total", total);
        Checks.atMost("base", base, "cap", cap);
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public int attempts = 3;
        public Duration base = Duration.ofMillis(250);
        public Duration cap = Duration.ofSeconds(8);
        public Duration retryAfterCap = Duration.ofSeconds(10);
        public Duration total = Duration.ofMinutes(10);
        public boolean sentOnce;
    }
}
