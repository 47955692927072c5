package io.millrace.bench.stats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SeriesTest {
    @Test
    void keepsItsSizeHoweverLongTheRun() {
        var series = new Series(0);
        int seconds = 100_000;
        for (int s = 0; s < seconds; s++) {
            series.onBegin(TimeUnit.SECONDS.toNanos(s));
            series.onFirst(TimeUnit.SECONDS.toNanos(s), TimeUnit.MILLISECONDS.toNanos(s % 100));
        }
        long begun = 0;
        for (int i = 0; i < series.size(); i++) {
            begun += series.begun(i);
            assertThat(series.maxTtftMs(i)).isGreaterThan(90);
        }
        assertThat(begun).isEqualTo(seconds);
        assertThat(series.size()).isBetween(300, 600);
        assertThat(series.size() * series.widthSeconds()).isGreaterThanOrEqualTo(seconds);
    }

    @Test
    void addsSeriesOfOtherWidths() {
        var fine = new Series(0);
        var coarse = new Series(0);
        fine.onEnd(TimeUnit.SECONDS.toNanos(3), false);
        coarse.onEnd(TimeUnit.SECONDS.toNanos(3), true);
        coarse.onEnd(TimeUnit.SECONDS.toNanos(400), false);

        fine.add(coarse);

        long completed = 0;
        long failed = 0;
        for (int i = 0; i < fine.size(); i++) {
            completed += fine.completed(i);
            failed += fine.failed(i);
        }
        assertThat(completed).isEqualTo(2);
        assertThat(failed).isEqualTo(1);
        assertThat(fine.widthSeconds()).isEqualTo(coarse.widthSeconds());
        int part = (int) (3 / fine.widthSeconds());
        assertThat(fine.completed(part)).isEqualTo(1);
        assertThat(fine.failed(part)).isEqualTo(1);
    }
}
