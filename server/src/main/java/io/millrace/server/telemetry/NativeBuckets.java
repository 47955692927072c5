package io.millrace.server.telemetry;

/**
 * The buckets of a native histogram of Prometheus with schema 4: 16 for each doubling, so that a bucket is 4.4% wide.
 * Bucket {@code i} has the values above 2^((i-1)/16), up to 2^(i/16).
 */
final class NativeBuckets {
    static final int SCHEMA = 4;
    private static final int PER_DOUBLING = 1 << SCHEMA;
    /** The upper bounds of the buckets from 1 to 2, without 2. */
    private static final double[] BOUNDS = new double[PER_DOUBLING];
    /** For the first {@link #SCHEMA} bits of a fraction, the first bucket that may have such a value. */
    private static final byte[] FIRST = new byte[PER_DOUBLING];

    private static final int FRACTION_BITS = 52;

    static {
        for (int i = 0; i < PER_DOUBLING; i++) {
            BOUNDS[i] = Math.pow(2, (double) i / PER_DOUBLING);
        }
        for (int i = 0; i < PER_DOUBLING; i++) {
            FIRST[i] = (byte) bucket(0, 1 + (double) i / PER_DOUBLING);
        }
    }

    private final int least;
    private final int most;

    /** Buckets for values above 2^{@code least}, up to 2^{@code most}. */
    NativeBuckets(int least, int most) {
        this.least = least;
        this.most = most;
    }

    /** Up to this value, all values are zero. */
    double zeroThreshold() {
        return Math.scalb(1.0, least);
    }

    /** The number of cells: that of zero, then the buckets. */
    int count() {
        return 1 + PER_DOUBLING * (most - least);
    }

    /** The cell of a value. The last one also has all larger values. */
    int of(double value) {
        if (value <= zeroThreshold()) {
            return 0;
        }
        int exponent = Math.getExponent(value);
        int slot = (int) (Double.doubleToRawLongBits(value) >>> (FRACTION_BITS - SCHEMA)) & (PER_DOUBLING - 1);
        int bucket = bucket(FIRST[slot], Math.scalb(value, -exponent));
        return Math.min(PER_DOUBLING * (exponent - least) + bucket, count() - 1);
    }

    /** The bucket of a value from 1 to 2, which is {@code first} or a later one. */
    private static int bucket(int first, double mantissa) {
        int bucket = first;
        while (bucket < PER_DOUBLING && BOUNDS[bucket] < mantissa) {
            bucket++;
        }
        return bucket;
    }

    /** The index of a cell in the exposition, of a cell that is not zero. */
    int index(int cell) {
        return cell + PER_DOUBLING * least;
    }
}
