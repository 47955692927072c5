package io.millrace.server.balance;

import io.millrace.server.config.Route.Retry;
import java.util.random.RandomGenerator;

/** The wait before an origin is tried again: exponential, with full jitter. */
public final class Backoff {
    /** Answer of {@link #delayNs}: the upstream asks for a longer wait than is granted. */
    public static final long TOO_LONG = -1;

    private static final int MAX_DOUBLINGS = 30;

    private final long baseNs;
    private final long capNs;
    private final long retryAfterCapNs;

    public Backoff(Retry retry) {
        baseNs = retry.base().toNanos();
        capNs = retry.cap().toNanos();
        retryAfterCapNs = retry.retryAfterCap().toNanos();
    }

    /**
     * The wait before the next attempt. It is a random part of the base, which doubles with each attempt after the first. If
     * the upstream asked for a wait, a random part of the base is added to that, so that not all clients return at once.
     *
     * @param attempts made so far, from 1
     * @param retryAfterNs what the upstream asked for, or {@link RetryAfter#NONE}
     * @return nanoseconds, or {@link #TOO_LONG}
     */
    public long delayNs(int attempts, long retryAfterNs, RandomGenerator random) {
        if (retryAfterNs > retryAfterCapNs) {
            return TOO_LONG;
        }
        if (retryAfterNs >= 0) {
            return retryAfterNs + upTo(baseNs, random);
        }
        int doublings = Math.min(attempts - 1, MAX_DOUBLINGS);
        long ceiling = baseNs > capNs >> doublings ? capNs : baseNs << doublings;
        return upTo(ceiling, random);
    }

    private static long upTo(long ceilingNs, RandomGenerator random) {
        return random.nextLong(ceilingNs + 1);
    }
}
