package io.millrace.server.telemetry;

import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * How many values of one event loop fell into each bucket, and their sum. Written by that loop alone, read by any
 * thread. A write is a plain add and an ordered store, without a locked instruction, and allocates nothing.
 *
 * <p>The buckets of the native histogram, if there is one, are counted in the same cells. So both forms of the histogram
 * have the same count, also if they are read during a write.
 */
final class Distribution {
    private final Buckets buckets;
    private final boolean natively;
    /** The counts by {@linkplain Buckets#cell cell}, then the sum. */
    private final AtomicLongArray cells;

    /** @param natively whether there is also a native histogram */
    Distribution(Buckets buckets, boolean natively) {
        this.buckets = buckets;
        this.natively = natively;
        cells = new AtomicLongArray(buckets.lastCell(buckets.count() - 1, natively) + 2);
    }

    /** Counts a value: nanoseconds or bytes. Less than zero counts as zero. */
    void record(long value) {
        add(cells, buckets.cell(value, natively), 1);
        add(cells, cells.length() - 1, Math.max(0, value));
    }

    /** Whether no value was counted. */
    boolean isEmpty() {
        for (int i = 0; i < cells.length() - 1; i++) {
            if (cells.get(i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** A sum for distributions like this one, without a value. */
    Sum newSum() {
        return new Sum(buckets, natively, cells.length());
    }

    private static void add(AtomicLongArray cells, int cell, long change) {
        cells.lazySet(cell, cells.getPlain(cell) + change);
    }

    /** The counts of several distributions with the same buckets. */
    static final class Sum {
        private final Buckets buckets;
        private final boolean natively;
        private final long[] cells;

        private Sum(Buckets buckets, boolean natively, int length) {
            this.buckets = buckets;
            this.natively = natively;
            cells = new long[length];
        }

        void add(Distribution other) {
            for (int i = 0; i < cells.length; i++) {
                cells[i] += other.cells.get(i);
            }
        }

        /** The bounds of the buckets in the exposed unit. */
        double[] uppers() {
            var uppers = new double[buckets.count()];
            for (int i = 0; i < uppers.length; i++) {
                uppers[i] = buckets.upper(i);
            }
            return uppers;
        }

        /** The counts by bucket. */
        long[] counts() {
            var counts = new long[buckets.count()];
            int cell = 0;
            for (int bucket = 0; bucket < counts.length; bucket++) {
                for (; cell <= buckets.lastCell(bucket, natively); cell++) {
                    counts[bucket] += cells[cell];
                }
            }
            return counts;
        }

        /** The buckets of values in the exposed unit. */
        NativeBuckets nativeBuckets() {
            return buckets.natives();
        }

        /** The counts of the native histogram; null if there is none. */
        long @Nullable [] nativeCounts() {
            if (!natively) {
                return null;
            }
            var counts = new long[buckets.natives().count()];
            int cell = 0;
            for (int bucket = 0; bucket < buckets.count(); bucket++) {
                for (; cell <= buckets.lastCell(bucket, true); cell++) {
                    counts[cell - bucket] += cells[cell];
                }
            }
            return counts;
        }

        /** The sum of the values in the exposed unit. */
        double sum() {
            return buckets.exposed(cells[cells.length - 1]);
        }
    }
}
