package io.millrace.server.telemetry;

import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * How many values of one event loop fell into each bucket, and their sum. Written by that loop alone, read by any
 * thread. A write is a plain add and an ordered store, without a locked instruction, and allocates nothing.
 */
final class Distribution {
    private final Buckets buckets;
    /** The counts by bucket, then the sum. */
    private final AtomicLongArray cells;
    /** The counts by bucket of the native histogram; null if there is none. */
    private final @Nullable AtomicLongArray natives;

    /** @param natively whether values also count in the buckets of a native histogram */
    Distribution(Buckets buckets, boolean natively) {
        this.buckets = buckets;
        cells = new AtomicLongArray(buckets.count() + 1);
        natives = natively ? new AtomicLongArray(buckets.natives().count()) : null;
    }

    /** Counts a value: nanoseconds or bytes. Less than zero counts as zero. */
    void record(long value) {
        add(cells, buckets.of(value), 1);
        add(cells, buckets.count(), Math.max(0, value));
        if (natives != null) {
            add(natives, buckets.natives().of(buckets.exposed(value)), 1);
        }
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

    private static void add(AtomicLongArray cells, int cell, long change) {
        cells.lazySet(cell, cells.getPlain(cell) + change);
    }

    /** The counts of several distributions with the same buckets. */
    static final class Sum {
        private final Buckets buckets;
        private final long[] counts;
        private long @Nullable [] natives;
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
            if (other.natives != null) {
                addNative(other.natives);
            }
        }

        private void addNative(AtomicLongArray other) {
            if (natives == null) {
                natives = new long[other.length()];
            }
            for (int i = 0; i < natives.length; i++) {
                natives[i] += other.get(i);
            }
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

        /** The buckets of values in the exposed unit. */
        NativeBuckets nativeBuckets() {
            return buckets.natives();
        }

        /** The counts of the native histogram; null if there is none. */
        @SuppressWarnings("MutableReturn") // read once
        long @Nullable [] nativeCounts() {
            return natives;
        }

        /** The sum of the values in the exposed unit. */
        double sum() {
            return buckets.exposed(sum);
        }
    }
}
