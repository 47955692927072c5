package io.millrace.bench.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LimitTest {
    @ParameterizedTest
    @CsvSource({
        "ttft.p99>800ms, ttft.p99, true, 800",
        "ttft.p99 >= 1.5s, ttft.p99, true, 1500",
        "itl.p99.9>200us, itl.p99.9, true, 0.2",
        "errors>1%, errors, true, 0.01",
        "request_throughput<10, request_throughput, false, 10",
        "ttft.count<100, ttft.count, false, 100",
        "frames_per_read.mean>2, frames_per_read.mean, true, 2",
    })
    void readsConditions(String text, String subject, boolean over, double bound) {
        var limit = Limit.parse(text);

        assertThat(limit.subject()).isEqualTo(subject);
        assertThat(limit.over()).isEqualTo(over);
        assertThat(limit.bound()).isEqualTo(bound);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "ttft", "ttft.p99", "ttft.p99>800", "speed>3", "ttft.best>3ms", "nothing.p50>1ms", "errors>x"
            })
    void saysWhatIsExpected(String text) {
        assertThatThrownBy(() -> Limit.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected: METRIC.STATISTIC>VALUE");
    }

    @ParameterizedTest
    @CsvSource({"800ms, 800000000", "1.5s, 1500000000", "2m, 120000000000", "250us, 250000", "1h, 3600000000000"})
    void readsTimes(String text, long ns) {
        assertThat(Quantity.nanos(text)).isEqualTo(ns);
    }

    @ParameterizedTest
    @ValueSource(strings = {"800", "ms", "-1s", "1 year", "99999999999h"})
    void refusesTimesThatAreNone(String text) {
        assertThatThrownBy(() -> Quantity.nanos(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void intervalOfTheMedianIsByOrderStatistics() {
        var histogram = new Histogram(3);
        for (int i = 1; i <= 100; i++) {
            histogram.recordValue(i * 1000L);
        }
        var values = new Distribution(Metric.Unit.RATIO, histogram);

        // n = 100: ranks 50 - 9.8 and 50 + 9.8 + 1
        assertThat(values.medianLow()).isBetween(39.9, 41.0);
        assertThat(values.medianHigh()).isBetween(59.9, 61.1);
        assertThat(values.percentile(50)).isBetween(49.9, 50.1);
        assertThat(values.count()).isEqualTo(100);
    }

    @Test
    void namesTheFlagAndWhatWasMeant() {
        assertThatThrownBy(() -> Limit.parse("ttf.p99>800ms"))
                .hasMessageStartingWith("--fail-if: ttf.p99>800ms: ttf is no metric, did you mean 'ttft'?");
        assertThatThrownBy(() -> Limit.parse("goodputs<3"))
                .hasMessageContaining("goodputs is no count, did you mean 'goodput'?");
        assertThatThrownBy(() -> Limit.parse("ttft.median>1s"))
                .hasMessageContaining("median is no statistic (expected: mean, min, max, count or a percentile");
    }

    @Test
    void nothingIsNotANumber() {
        var values = new Distribution(Metric.Unit.MS, new Histogram(3));

        assertThat(values.percentile(50)).isNaN();
        assertThat(values.medianLow()).isNaN();
        assertThat(values.mean()).isNaN();
    }

    @Test
    void readsAndTellsGoodness() {
        assertThat(Slo.parse("ttft=500ms,itl=50ms")).hasToString("ttft=500ms,itl=50ms");
        assertThatThrownBy(() -> Slo.parse("speed=3ms")).hasMessageContaining("expected: ttft=500ms");
        assertThatThrownBy(() -> Slo.parse("ttft=3")).hasMessageContaining("a time such as");
    }
}
