package io.millrace.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.run.RateSearch.Trial;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RateSearchTest {
    @ParameterizedTest
    @CsvSource({"1, 3.3", "1, 700", "100, 37", "100, 100", "50, 49.9", "0.5, 0.51"})
    void comesWithinFivePercentOfTheLimit(double first, double limit) {
        var search = new RateSearch(first);
        int trials = 0;
        while (!search.isOver()) {
            search.tried(search.rate() <= limit ? Trial.GOOD : Trial.BAD);
            trials++;
        }
        assertThat(search.best()).isBetween(limit / 1.06, limit);
        assertThat(trials).isLessThan(24);
    }

    @Test
    void givesUpWhereNothingIsGood() {
        var search = new RateSearch(100);
        while (!search.isOver()) {
            search.tried(Trial.BAD);
        }
        assertThat(search.best()).isZero();
        assertThat(search.rate()).isGreaterThan(0.5);
    }

    @Test
    void neverTakesAnUnfitClientForABadRate() {
        var search = new RateSearch(10);
        search.tried(Trial.GOOD);
        search.tried(Trial.UNFIT);
        assertThat(search.rate()).as("tried once more").isEqualTo(20);
        assertThat(search.isOver()).isFalse();
        search.tried(Trial.UNFIT);

        assertThat(search.isOver()).isTrue();
        assertThat(search.isUnfit()).isTrue();
        assertThat(search.best()).isEqualTo(10);
        assertThat(search.bad()).isInfinite();
    }

    @Test
    void goesOnIfTheClientIsFitTheSecondTime() {
        var search = new RateSearch(10);
        search.tried(Trial.UNFIT);
        search.tried(Trial.GOOD);
        search.tried(Trial.UNFIT);

        assertThat(search.isUnfit()).isFalse();
        assertThat(search.rate()).isEqualTo(20);
    }

    @Test
    void endsWhereEverythingIsGood() {
        var search = new RateSearch(1);
        while (!search.isOver()) {
            search.tried(Trial.GOOD);
        }
        assertThat(search.best()).isGreaterThan(1000);
    }
}
