package io.millrace.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArrivalsTest {
    private static final int MANY = 20_000;

    @Test
    void constantOnesAreEvenlySpaced() {
        var arrivals = new Arrivals(100, Double.POSITIVE_INFINITY, 0, 1);

        for (int i = 0; i < 50; i++) {
            assertThat(arrivals.nextNs()).isCloseTo(i * 10_000_000L, within(1000L));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "0.25, 2", "4, 0.5"})
    void gapsVaryAsBurstinessSays(double burstiness, double variation) {
        var arrivals = new Arrivals(100, burstiness, 0, 1);
        double sum = 0;
        double squares = 0;
        long before = 0;
        for (int i = 0; i < MANY; i++) {
            long at = arrivals.nextNs();
            double gap = (at - before) / 1e9;
            assertThat(gap).isNotNegative();
            sum += gap;
            squares += gap * gap;
            before = at;
        }
        double mean = sum / MANY;
        double deviation = Math.sqrt(squares / MANY - mean * mean);
        assertThat(mean).isCloseTo(0.01, within(0.001));
        assertThat(deviation / mean).isCloseTo(variation, within(0.1 * variation));
    }

    @Test
    void rateGrowsEvenlyDuringTheRamp() {
        var arrivals = new Arrivals(1000, Double.POSITIVE_INFINITY, TimeUnit.SECONDS.toNanos(10), 1);
        int firstHalf = 0;
        int secondHalf = 0;
        int after = 0;
        long at;
        while ((at = arrivals.nextNs()) < 20_000_000_000L) {
            if (at < 5_000_000_000L) {
                firstHalf++;
            } else if (at < 10_000_000_000L) {
                secondHalf++;
            } else {
                after++;
            }
        }
        assertThat(firstHalf).isCloseTo(1250, within(2));
        assertThat(secondHalf).isCloseTo(3750, within(2));
        assertThat(after).isCloseTo(10_000, within(2));
    }

    @Test
    void areTheSameForASeed() {
        var one = new Arrivals(10, 0.5, 0, 7);
        var two = new Arrivals(10, 0.5, 0, 7);
        for (int i = 0; i < 100; i++) {
            assertThat(one.nextNs()).isEqualTo(two.nextNs());
        }
    }
}
