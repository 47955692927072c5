package io.millrace.server.balance;

/**
 * The 95th percentile of an upstream's recent times to first token. Each bucket is a quarter of an octave. The counts
 * are halved regularly, so that old times have little weight. Thread-safe.
 */
final class TtftPercentile {
    private static final int MIN_SAMPLES = 20;
    private static final int HALVED_AT = 1024;
    private static final int UNIT_SHIFT = 10;
    private static final int SUB_BITS = 2;
    private static final long SUBS = 1L << SUB_BITS;
    private static final int BUCKETS = 64 << SUB_BITS;
    private static final double SHARE = 0.95;

    private final int[] counts = new int[BUCKETS];
    private int total;

    /** Counts one time. */
    public synchronized void record(long ttftNs) {
        counts[bucket(ttftNs)]++;
        if (++total >= HALVED_AT) {
            halve();
        }
    }

    /** The 95th percentile in nanoseconds, accurate to a quarter. It is 0 while too few are counted. */
    public synchronized long p95Ns() {
        if (total < MIN_SAMPLES) {
            return 0;
        }
        int wanted = (int) Math.ceil(total * SHARE);
        int bucket = -1;
        for (int seen = 0; seen < wanted; ) {
            seen += counts[++bucket];
        }
        return endNs(bucket);
    }

    private void halve() {
        total = 0;
        for (int i = 0; i < BUCKETS; i++) {
            counts[i] >>= 1;
            total += counts[i];
        }
    }

    private static int bucket(long ttftNs) {
        long units = (Math.max(0, ttftNs) >> UNIT_SHIFT) + SUBS;
        int octave = Long.SIZE - 1 - Long.numberOfLeadingZeros(units);
        int sub = (int) ((units >> (octave - SUB_BITS)) & (SUBS - 1));
        return (octave << SUB_BITS) + sub;
    }

    /** The lower bound of the next bucket. */
    private static long endNs(int bucket) {
        int octave = bucket >> SUB_BITS;
        long sub = (bucket & (SUBS - 1)) + 1;
        long units = (SUBS + sub) << (octave - SUB_BITS);
        return (units - SUBS) << UNIT_SHIFT;
    }
}
