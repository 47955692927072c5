package io.millrace.server.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DistributionTest {
    static List<Buckets> buckets() {
        return List.of(Buckets.STREAM, Buckets.OWN, Buckets.SIZE);
    }

    @ParameterizedTest
    @MethodSource("buckets")
    void eachValueIsInTheFirstBucketThatHoldsIt(Buckets buckets) {
        var random = new SplittableRandom(7);
        for (int i = 0; i < 100_000; i++) {
            long value = random.nextLong() >>> random.nextInt(1, 64);
            check(buckets, value);
        }
        for (int i = 0; i < buckets.count() - 1; i++) {
            long bound = Math.round(buckets.upper(i) / buckets.exposed(1));
            check(buckets, bound - 1);
            check(buckets, bound);
            check(buckets, bound + 1);
        }
        assertThat(buckets.of(0)).isZero();
        assertThat(buckets.of(-5)).isZero();
        assertThat(buckets.of(Long.MAX_VALUE)).isEqualTo(buckets.count() - 1);
    }

    private static void check(Buckets buckets, long value) {
        int bucket = buckets.of(value);
        // In doubles, a bound of nanoseconds may differ from the value by its rounding.
        double slack = 1 + 1e-12;
        assertThat(buckets.exposed(value)).isLessThanOrEqualTo(buckets.upper(bucket) * slack);
        if (bucket > 0) {
            assertThat(buckets.exposed(value) * slack).isGreaterThan(buckets.upper(bucket - 1));
        }
        checkNative(buckets.natives(), buckets.exposed(value));
    }

    /** Bucket i of Prometheus' schema 4 has the values above 2^((i-1)/16), up to 2^(i/16). */
    private static void checkNative(NativeBuckets natives, double value) {
        int cell = natives.of(value);
        if (cell == 0) {
            assertThat(value).isLessThanOrEqualTo(natives.zeroThreshold());
            return;
        }
        double upper = Math.pow(2, natives.index(cell) / 16.0);
        if (cell < natives.count() - 1) {
            assertThat(value).isLessThanOrEqualTo(upper * (1 + 1e-12));
        }
        assertThat(value * (1 + 1e-12)).isGreaterThan(upper / Math.pow(2, 1 / 16.0));
    }

    @ParameterizedTest
    @MethodSource("buckets")
    void sumsOfLoopsCountEachValueOnce(Buckets buckets) {
        var one = new Distribution(buckets, true);
        var other = new Distribution(buckets, true);
        one.record(1);
        one.record(Long.MAX_VALUE >> 8);
        other.record(1);
        other.record(-3);
        var sum = one.newSum();
        sum.add(one);
        sum.add(other);
        assertThat(sum.counts()[0]).isEqualTo(3);
        assertThat(sum.counts()[buckets.count() - 1]).isEqualTo(1);
        long[] natives = sum.nativeCounts();
        assertThat(natives[buckets.natives().of(buckets.exposed(1))]).isEqualTo(3);
        assertThat(natives[natives.length - 1]).isEqualTo(1);
        assertThat(sum.sum()).isEqualTo(buckets.exposed((Long.MAX_VALUE >> 8) + 2));
    }

    /** Both forms of a histogram come from the same cells, and each is as if it were counted alone. */
    @ParameterizedTest
    @MethodSource("buckets")
    void countsEachFormAsIfItWereAlone(Buckets buckets) {
        var counts = new long[buckets.count()];
        var natives = new long[buckets.natives().count()];
        var both = new Distribution(buckets, true);
        var classic = new Distribution(buckets, false);
        var random = new SplittableRandom(7);
        for (int i = 0; i < 100_000; i++) {
            long bound = Math.round(buckets.upper(i % (counts.length - 1)) / buckets.exposed(1));
            long value = i % 2 == 0 ? random.nextLong() >>> random.nextInt(1, 64) : bound + i % 5 - 2;
            counts[buckets.of(value)]++;
            natives[buckets.natives().of(buckets.exposed(value))]++;
            both.record(value);
            classic.record(value);
        }
        assertThat(sum(both).counts()).containsExactly(counts);
        assertThat(sum(both).nativeCounts()).containsExactly(natives);
        assertThat(sum(classic).counts()).containsExactly(counts);
        assertThat(sum(classic).nativeCounts()).isNull();
    }

    /** Wherever in a native bucket a percentile is taken, it is at most 5% beside that of the values themselves. */
    @ParameterizedTest
    @MethodSource("buckets")
    void nativePercentilesAreRightToFivePercent(Buckets buckets) {
        var distribution = new Distribution(buckets, true);
        var random = new SplittableRandom(7);
        double least = buckets.upper(1) / buckets.exposed(1);
        long[] values = random.doubles(20_000)
                .mapToLong(share -> Math.round(least * Math.pow(100, share)))
                .sorted()
                .toArray();
        for (long value : values) {
            distribution.record(value);
        }
        long[] counts = sum(distribution).nativeCounts();
        for (int percent : new int[] {1, 50, 90, 99}) {
            int rank = values.length * percent / 100;
            double value = buckets.exposed(values[rank - 1]);
            int cell = 0;
            for (long before = counts[0]; before < rank; before += counts[cell]) {
                cell++;
            }
            double upper = Math.pow(2, buckets.natives().index(cell) * Math.scalb(1.0, -NativeBuckets.SCHEMA));
            double lower = Math.pow(2, (buckets.natives().index(cell) - 1) * Math.scalb(1.0, -NativeBuckets.SCHEMA));
            assertThat(value).as("p%d", percent).isBetween(lower * (1 - 1e-12), upper * (1 + 1e-12));
            assertThat(upper).as("p%d", percent).isLessThan(value * 1.05);
            assertThat(lower).as("p%d", percent).isGreaterThan(value * 0.95);
        }
    }

    private static Distribution.Sum sum(Distribution distribution) {
        var sum = distribution.newSum();
        sum.add(distribution);
        return sum;
    }

    /** The library refuses a histogram whose forms have other counts, and then there would be no metrics at all. */
    @Test
    void bothFormsHaveTheSameCountWhileAnEventLoopWrites() throws InterruptedException {
        var histograms = new LoopHistograms(true);
        var over = new AtomicBoolean();
        var writer = new Thread(() -> {
            for (long value = 1; !over.get(); value = value * 31 % 10_000_000_019L) {
                histograms.late(value);
            }
        });
        writer.start();
        try {
            var metrics = new HistogramMetrics(List.of(histograms));
            for (int i = 0; i < 10_000; i++) {
                assertThat(metrics.snapshots()).hasSize(9);
            }
        } finally {
            over.set(true);
            writer.join();
        }
    }
}
