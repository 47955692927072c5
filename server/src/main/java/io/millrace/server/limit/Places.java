package io.millrace.server.limit;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * Limits the requests in progress of all clients together. While many places are free, every client gets one. When
 * most are taken, a client gets another place only if it has less than its share. One share is always kept for a
 * client without a place. So no client takes every place. Any thread may use it.
 */
final class Places {
    /** Below this part of the places, shares do not matter. */
    private static final double PLENTY = 0.75;

    private final LongSupplier most;
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicInteger holders = new AtomicInteger();

    /** The limit is {@code most}, which is asked each time. */
    Places(LongSupplier most) {
        this.most = most;
    }

    /** Places taken. */
    int taken() {
        return taken.get();
    }

    /**
     * Takes a place for a client.
     *
     * @param its how many the client has, with this one
     * @return false if there is none for it
     */
    boolean take(int its) {
        long limit = most.getAsLong();
        int all = taken.incrementAndGet();
        int others = its == 1 ? holders.incrementAndGet() : holders.get();
        long share = Math.max(1, limit / (others + 1));
        if (all > limit || (all > limit * PLENTY && its > share)) {
            giveBack(its - 1);
            return false;
        }
        return true;
    }

    /** Gives a place back. Its client then has {@code left} places. */
    void giveBack(int left) {
        taken.decrementAndGet();
        if (left == 0) {
            holders.decrementAndGet();
        }
    }
}
