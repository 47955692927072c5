package io.millrace.server.live;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How many times were in each of many small ranges, eight for each doubling, from 0.1 ms to beyond an hour. Written by one
 * event loop, read by any thread. A write is a plain add and an ordered store.
 */
final class LiveTimes {
    private static final long UNIT_NS = 100_000;
    private static final int PARTS = 8;
    private static final int DOUBLINGS = 26;
    static final int CELLS = PARTS * DOUBLINGS;

    private final AtomicLongArray cells = new AtomicLongArray(CELLS);

    /** Counts a time in nanoseconds. */
    void record(long ns) {
        int cell = cell(ns);
        cells.lazySet(cell, cells.getPlain(cell) + 1);
    }

    /** Adds the counts to {@code sums}. */
    void addTo(long[] sums) {
        for (int i = 0; i < CELLS; i++) {
            sums[i] += cells.get(i);
        }
    }

    /**
     * The time that a share of the counted times does not exceed, to about 5%.
     *
     * @param counts by range
     * @return milliseconds; -1 if nothing was counted
     */
    static double percentileMs(long[] counts, double share) {
        long total = 0;
        for (long count : counts) {
            total += count;
        }
        long rank = Math.max(1, (long) Math.ceil(share * total));
        long seen = 0;
        for (int i = 0; i < CELLS && total > 0; i++) {
            seen += counts[i];
            if (seen >= rank) {
                return middleNs(i) / 1e6;
            }
        }
        return -1;
    }

    private static int cell(long ns) {
        long units = ns / UNIT_NS;
        if (units < PARTS) {
            return (int) Math.max(0, units);
        }
        int doubling = Long.SIZE - 1 - Long.numberOfLeadingZeros(units / PARTS);
        int cell = PARTS * (doubling + 1) + (int) ((units >> doubling) - PARTS);
        return Math.min(CELLS - 1, cell);
    }

    private static double middleNs(int cell) {
        if (cell < PARTS) {
            return (cell + 0.5) * UNIT_NS;
        }
        int doubling = cell / PARTS - 1;
        return (cell % PARTS + PARTS + 0.5) * (1L << doubling) * UNIT_NS;
    }
}
