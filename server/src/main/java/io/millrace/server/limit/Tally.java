package io.millrace.server.limit;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The units of one bucket that this node has taken, and how many of them the store has been told. Any thread adds. The
 * store's event loop tells.
 */
final class Tally {
    /** More than this part of the bucket is told at once. */
    private static final int EARLY_PARTS = 20;

    private final SharedUse use;
    private final AtomicLong taken = new AtomicLong();
    private final AtomicLong told = new AtomicLong();

    Tally(SharedUse use) {
        this.use = use;
    }

    /** Adds units that were taken from a bucket that holds {@code capacity}; a negative number was given back. */
    void add(long units, long capacity, long nowNs) {
        long untold = taken.addAndGet(units) - told.get();
        use.changed(untold * EARLY_PARTS > capacity, nowNs);
    }

    /** The units that the store does not know. */
    long untold() {
        return taken.get() - told.get();
    }

    /** These units count as told from now on; a negative number does not any more. */
    void told(long units) {
        told.addAndGet(units);
    }
}
