package io.millrace.server.telemetry;

/**
 * The buckets of a native histogram of Prometheus with schema 3: eight for each doubling, so that a bucket is 9% wide.
 * Bucket {@code i} has the values above 2^((i-1)/8), up to 2^(i/8).
 */
final class NativeBuckets {
    static final int SCHEMA = 3;
    private static final int PER_DOUBLING = 1 << SCHEMA;
    /** The upper bounds of the buckets from 1 to 2, without 2. */
    private static final double[] BOUNDS = new double[PER_DOUBLING];

    static {
        for (int i = 0; i < PER_DOUBLING; i++) {
            BOUNDS[i] = Math.pow(2, (double) i / PER_DOUBLING);
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
        double mantissa = Math.scalb(value, -exponent);
        int bucket = 0;
        while (bucket < PER_DOUBLING && BOUNDS[bucket] < mantissa) {
            bucket++;
        }
        return Math.min(PER_DOUBLING * (exponent - least) + bucket, count() - 1);
    }

    /** The index of a cell in the exposition, of a cell that is not zero. */
    int index(int cell) {
        return cell + PER_DOUBLING * least;
    }
}
