package io.millrace.server.balance;

import io.millrace.server.config.Upstream.RetryBudget;
import java.util.concurrent.TimeUnit;

/**
 * Limits the retries of an upstream within ten seconds to a share of its requests in that time, plus a fixed number. So an
 * outage does not multiply requests, and a request of a quiet upstream can still be retried. Thread-safe.
 */
public final class TokenBudget {
    private static final int SPAN_SECONDS = 10;
    private static final long SPAN_NS = TimeUnit.SECONDS.toNanos(SPAN_SECONDS);

    private final double ratio;
    private final long fixed;
    private final SlidingCount requests = new SlidingCount(SPAN_NS);
    private final SlidingCount shared = new SlidingCount(SPAN_NS);
    private final SlidingCount floor = new SlidingCount(SPAN_NS);
    private long retries;
    private long refused;

    public TokenBudget(RetryBudget settings) {
        ratio = settings.ratio();
        fixed = (long) settings.perSecond() * SPAN_SECONDS;
    }

    /** Counts a client's request. Its retries are not counted. */
    public synchronized void onRequest(long nowNs) {
        requests.add(nowNs, 1);
    }

    /** Takes the cost of one retry. If it is false, the budget is used up and there must be no retry. */
    public synchronized boolean tryRetry(long nowNs) {
        if (shared.total(nowNs) + 1 <= ratio * requests.total(nowNs)) {
            shared.add(nowNs, 1);
        } else if (floor.total(nowNs) < fixed) {
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

    /** How many retries the budget did not allow. */
    public synchronized long refused() {
        return refused;
    }
}
