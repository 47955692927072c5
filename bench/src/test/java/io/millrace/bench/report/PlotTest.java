package io.millrace.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlotTest {
    private static final Pattern UPWARD = Pattern.compile("text-anchor=\"end\">([^<]*)<");

    private static List<String> ticks(double from, double to) {
        var plot = new Plot("", 600, 200, Plot.Axis.linear("x", 0, 1), Plot.Axis.linear("y", from, to));
        return UPWARD.matcher(plot.end()).results().map(tick -> tick.group(1)).toList();
    }

    @ParameterizedTest
    @CsvSource({"2.101,2.138", "0.0011,0.0013", "9.99,10.01", "10234,10289", "99.5,100.5", "0,1", "0,250000"})
    void ticksDifferHoweverNarrowTheAxis(double from, double to) {
        assertThat(ticks(from, to)).hasSizeBetween(3, 7).doesNotHaveDuplicates();
    }

    @Test
    void ticksHaveNoMoreDecimalsThanTheyNeed() {
        assertThat(ticks(0, 1)).containsExactly("0", "0.2", "0.4", "0.6", "0.8", "1");
        assertThat(ticks(0, 50_000)).containsExactly("0", "10k", "20k", "30k", "40k", "50k");
        assertThat(ticks(2.1, 2.14)).containsExactly("2.1", "2.11", "2.12", "2.13", "2.14");
    }
}
