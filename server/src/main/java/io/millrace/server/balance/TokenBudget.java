package io.millrace.server.balance;

import io.millrace.server.config.RetryBudget;
import java.util.concurrent.TimeUnit;

/**
 * Keeps the retries of an upstream below a share of its requests of the last ten seconds, plus a few each second, so that an
 * outage is not multiplied. Thread-safe.
 */
public final class TokenBudget {
    private static final long SPAN_NS = TimeUnit.SECONDS.toNanos(10);

    private final double ratio;
    private final int perSecond;
    private final SlidingCount requests = new SlidingCount(SPAN_NS);
    private final SlidingCount shared = new SlidingCount(SPAN_NS);
    private final SlidingCount floor = new SlidingCount(SPAN_NS); // a tenth of which is a second
    private long retries;
    private long refused;

    public TokenBudget(RetryBudget settings) {
        ratio = settings.ratio();
        perSecond = settings.perSecond();
    }

    /** Counts a client's request, once, whatever is retried of it. */
    public synchronized void onRequest(long nowNs) {
        requests.add(nowNs, 1);
    }

    /** Takes what one retry costs; false if there is nothing left, and the retry must not be. */
    public synchronized boolean tryRetry(long nowNs) {
        if (shared.total(nowNs) + 1 <= ratio * requests.total(nowNs)) {
            shared.add(nowNs, 1);
        } else if (floor.current(nowNs) < perSecond) {
            floor.add(nowNs, 1);
        } else {
            refused++;
            return false;
        }
        retries++;
        return true;
    }

    /** How many retries there were. */
    public synchronized long retries() {
        return retries;
    }

    /** How many retries there were not for want of budget. */
    public synchronized long refused() {
        return refused;
    }
}
