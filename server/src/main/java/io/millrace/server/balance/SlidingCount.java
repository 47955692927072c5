package io.millrace.server.balance;

/** Counts what happened within the last span of time, to a tenth of it. Not thread-safe. */
final class SlidingCount {
    private static final int SLOTS = 10;

    private final long slotNs;
    private final long[] counts = new long[SLOTS];
    private final long[] ticks = new long[SLOTS];

    SlidingCount(long spanNs) {
        slotNs = Math.max(1, spanNs / SLOTS);
        clear();
    }

    /** Counts {@code amount} more. */
    void add(long nowNs, int amount) {
        long tick = Math.floorDiv(nowNs, slotNs);
        int slot = Math.floorMod(tick, SLOTS);
        if (ticks[slot] != tick) {
            ticks[slot] = tick;
            counts[slot] = 0;
        }
        counts[slot] += amount;
    }

    /** How many there were within the span. */
    long total(long nowNs) {
        long newest = Math.floorDiv(nowNs, slotNs);
        long total = 0;
        for (int i = 0; i < SLOTS; i++) {
            long age = newest - ticks[i];
            total += age >= 0 && age < SLOTS ? counts[i] : 0;
        }
        return total;
    }

    /** Forgets everything. */
    void clear() {
        for (int i = 0; i < SLOTS; i++) {
            counts[i] = 0;
            ticks[i] = Long.MIN_VALUE / 2;
        }
    }
}
