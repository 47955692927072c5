package io.millrace.server.telemetry;

import java.util.concurrent.TimeUnit;

/** The bounds of a histogram's buckets. A value belongs to the first bucket whose bound is not less than it. */
final class Buckets {
    /** The times of streams: 1 ms to 600 s. */
    static final Buckets STREAM = new Buckets(
            TimeUnit.SECONDS.toNanos(1),
            0.001,
            0.0025,
            0.005,
            0.01,
            0.025,
            0.05,
            0.1,
            0.25,
            0.5,
            1,
            2.5,
            5,
            10,
            20,
            30,
            60,
            120,
            300,
            600);
    /** The times that the relay itself takes: 0.1 ms to 10 s. */
    static final Buckets OWN = new Buckets(
            TimeUnit.SECONDS.toNanos(1),
            0.0001,
            0.00025,
            0.0005,
            0.001,
            0.0025,
            0.005,
            0.01,
            0.025,
            0.05,
            0.1,
            0.25,
            0.5,
            1,
            2.5,
            5,
            10);
    /** Sizes: 256 bytes to 64 MiB. */
    static final Buckets SIZE =
            new Buckets(1, 1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26);

    /** So many doublings beyond the bounds are told apart in a native histogram. */
    private static final int ROOM_BELOW = 3;

    private static final int ROOM_ABOVE = 4;

    private final double perUnit;
    private final double[] uppers;
    private final long[] bounds;
    private final NativeBuckets natives;
    /** For each bucket, the last of its cells if values are also told apart by the buckets of a native histogram. */
    private final int[] lastCells;
    /** For each number of significant bits, the first bucket that may have such a value. */
    private final byte[] first = new byte[Long.SIZE + 1];

    /**
     * Buckets with these bounds.
     *
     * @param perUnit how many of what is recorded make one of the unit that is exposed
     * @param uppers the bounds in the exposed unit, in ascending order; all further values are in a last bucket
     */
    private Buckets(long perUnit, double... uppers) {
        this.perUnit = perUnit;
        this.uppers = uppers;
        bounds = new long[uppers.length];
        natives = new NativeBuckets(
                Math.getExponent(uppers[0]) - ROOM_BELOW, Math.getExponent(uppers[uppers.length - 1]) + ROOM_ABOVE);
        for (int i = 0; i < bounds.length; i++) {
            bounds[i] = Math.round(uppers[i] * perUnit);
        }
        lastCells = new int[bounds.length + 1];
        for (int i = 0; i < bounds.length; i++) {
            lastCells[i] = i + natives.of(exposed(bounds[i]));
        }
        lastCells[bounds.length] = bounds.length + natives.count() - 1;
        for (int bits = 0; bits <= Long.SIZE; bits++) {
            long least = bits == 0 ? 0 : 1L << (bits - 1);
            byte bucket = 0;
            while (bucket < bounds.length && least >= 0 && least > bounds[bucket]) {
                bucket++;
            }
            first[bits] = bucket;
        }
    }

    /** The number of buckets, including the last one, which has no bound. */
    int count() {
        return bounds.length + 1;
    }

    /** The bucket of a value. A value below zero counts as zero. */
    int of(long value) {
        if (value <= 0) {
            return 0;
        }
        int bucket = first[Long.SIZE - Long.numberOfLeadingZeros(value)];
        while (bucket < bounds.length && value > bounds[bucket]) {
            bucket++;
        }
        return bucket;
    }

    /**
     * The cell of a value. Two values are in the same cell if they are in the same bucket and, if {@code natively}, also in
     * the same bucket of the native histogram. As values grow, neither bucket's number falls. So the sum of the two numbers
     * tells the cells apart.
     */
    int cell(long value, boolean natively) {
        return of(value) + (natively ? natives.of(exposed(value)) : 0);
    }

    /** The last cell of a bucket. The first one follows the last cell of the bucket before. */
    int lastCell(int bucket, boolean natively) {
        return natively ? lastCells[bucket] : bucket;
    }

    /** The bound of a bucket in the exposed unit. */
    double upper(int bucket) {
        return bucket < uppers.length ? uppers[bucket] : Double.POSITIVE_INFINITY;
    }

    /** The buckets of a native histogram of the same values, in the exposed unit. */
    NativeBuckets natives() {
        return natives;
    }

    /** A sum of values in the exposed unit. */
    double exposed(long sum) {
        return sum / perUnit;
    }
}
