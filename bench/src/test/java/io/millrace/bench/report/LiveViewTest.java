package io.millrace.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.stats.Progress;
import io.millrace.bench.stats.Recorder;
import io.millrace.bench.stream.LoadShape;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveViewTest {
    private final StringWriter text = new StringWriter();

    private LiveView view(boolean terminal) {
        var shape = LoadShape.closed(3).with(load -> load.durationNs = 20_000_000_000L);
        return new LiveView(new PrintWriter(text), terminal, "3 streams", shape);
    }

    private static Progress progress() {
        var recorder = new Recorder(LoadShape.closed(3), 0, null, null);
        recorder.onDispatch(0, 1, true);
        recorder.onFirstOutput(0, 100_000_000);
        recorder.onGap(20_000_000, 120_000_000);
        return recorder.takeProgress();
    }

    @Test
    void writesALineEveryFewSecondsWhereThereIsNoTerminal() {
        var view = view(false);
        for (int tick = 1; tick <= 20; tick++) {
            view.onTick(tick / 2.0, progress(), 3);
        }
        view.end();

        assertThat(text.toString().lines()).hasSize(2);
        assertThat(text.toString())
                .startsWith("3 streams  5 s: 3 active, 0 done, 0 failed, 4 frames/s, ttft p50 100")
                .contains("gap p50 20.")
                .doesNotContain("\033");
    }

    @Test
    void drawsThreeLinesAnewOnATerminal() {
        var view = view(true);
        view.onTick(0.5, progress(), 3);
        view.onTick(10, progress(), 3);

        assertThat(text.toString().lines()).hasSize(6);
        assertThat(text.toString()).contains("\033[3A", "[###############---------------] 10 of 20 s", "ttft ██ 100");
        int drawn = text.toString().length();
        view.end();
        assertThat(text.toString().substring(drawn)).isEqualTo("\033[3A\033[J");
    }

    @Test
    void sparksAreSharesOfTheLargest() {
        assertThat(LiveView.sparks(List.of(0.0, 50.0, 100.0, Double.NaN, 100.0)))
                .isEqualTo("▁▅█ █");
        assertThat(LiveView.sparks(List.of(Double.NaN))).isEqualTo(" ");
    }
}
