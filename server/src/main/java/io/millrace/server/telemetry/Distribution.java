package io.millrace.server.telemetry;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How many values of one event loop fell into each bucket, and their sum. Written by that loop alone, read by any
 * thread. A write is a plain add and an ordered store, without a locked instruction, and allocates nothing.
 */
final class Distribution {
    private final Buckets buckets;
    /** The counts by bucket, then the sum. */
    private final AtomicLongArray cells;

    Distribution(Buckets buckets) {
        this.buckets = buckets;
        cells = new AtomicLongArray(buckets.count() + 1);
    }

    /** Counts a value: nanoseconds or bytes. Less than zero counts as zero. */
    void record(long value) {
        add(buckets.of(value), 1);
        add(buckets.count(), Math.max(0, value));
    }

    /** Whether no value was counted. */
    boolean isEmpty() {
        for (int i = 0; i < buckets.count(); i++) {
            if (cells.get(i) != 0) {
                return false;
            }
        }
        return true;
    }

    Buckets buckets() {
        return buckets;
    }

    private void add(int cell, long change) {
        cells.lazySet(cell, cells.getPlain(cell) + change);
    }

    /** The counts of several distributions with the same buckets. */
    static final class Sum {
        private final Buckets buckets;
        private final long[] counts;
        private long sum;

        Sum(Buckets buckets) {
            this.buckets = buckets;
            counts = new long[buckets.count()];
        }

        void add(Distribution other) {
            for (int i = 0; i < counts.length; i++) {
                counts[i] += other.cells.get(i);
            }
            sum += other.cells.get(counts.length);
        }

        /** The bounds of the buckets in the exposed unit. */
        double[] uppers() {
            var uppers = new double[counts.length];
            for (int i = 0; i < uppers.length; i++) {
                uppers[i] = buckets.upper(i);
            }
            return uppers;
        }

        /** The counts by bucket. */
        long[] counts() {
            return counts;
        }

        /** The sum of the values in the exposed unit. */
        double sum() {
            return buckets.exposed(sum);
        }
    }
}
