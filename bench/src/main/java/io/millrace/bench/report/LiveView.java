package io.millrace.bench.report;

import io.millrace.bench.stats.Progress;
import io.millrace.bench.stats.Runner;
import io.millrace.bench.stream.LoadShape;
import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/**
 * Shows a run while it is in progress: three lines that are redrawn on a terminal, otherwise one line every few
 * seconds.
 */
public final class LiveView implements Runner.Watcher {
    private static final String BARS = "▁▂▃▄▅▆▇█";
    private static final int BAR = 30;
    private static final int SPARKS = 40;
    private static final double LINE_EVERY_S = 5;

    private final PrintWriter out;
    private final boolean terminal;
    private final String name;
    private final LoadShape shape;
    private final Deque<Double> ttfts = new ArrayDeque<>();
    private final Deque<Double> gaps = new ArrayDeque<>();
    private Progress sinceLine = new Progress();
    private double lineAt;
    private double lastAt;
    private long ended;
    private long failed;
    private boolean drawn;

    /**
     * @param terminal whether lines can be redrawn
     * @param name of the run, for people
     */
    public LiveView(PrintWriter out, boolean terminal, String name, LoadShape shape) {
        this.out = out;
        this.terminal = terminal;
        this.name = name;
        this.shape = shape;
    }

    @Override
    public void onTick(double seconds, Progress progress, int active) {
        ended += progress.ended();
        failed += progress.failed();
        if (terminal) {
            draw(seconds, progress, active);
        } else {
            sinceLine.add(progress);
            if (seconds - lineAt >= LINE_EVERY_S) {
                line(seconds, active);
            }
        }
        lastAt = seconds;
    }

    /** Removes the three lines from the terminal, so that other output can follow. */
    public void end() {
        if (drawn) {
            out.print("\033[3A\033[J");
            out.flush();
            drawn = false;
        }
    }

    private void line(double seconds, int active) {
        double span = seconds - lineAt;
        out.printf(
                Locale.ROOT,
                "%s  %.0f s: %,d active, %,d done, %,d failed, %,.0f frames/s, ttft p50 %s p99 %s ms, gap p50 %s p99 %s ms%n",
                name,
                seconds,
                active,
                ended,
                failed,
                sinceLine.outputs() / span,
                Numbers.of(sinceLine.ttft().percentile(50)),
                Numbers.of(sinceLine.ttft().percentile(99)),
                Numbers.of(sinceLine.gap().percentile(50)),
                Numbers.of(sinceLine.gap().percentile(99)));
        out.flush();
        sinceLine = new Progress();
        lineAt = seconds;
    }

    private void draw(double seconds, Progress progress, int active) {
        remember(ttfts, progress.ttft().percentile(50));
        remember(gaps, progress.gap().percentile(50));
        double span = Math.max(0.001, seconds - lastAt);
        if (drawn) {
            out.print("\033[3A");
        }
        drawn = true;
        row("%s  %s %.0f%s s", name, bar(seconds), seconds, of());
        row(
                "  %,d active  %,d done  %,d failed  %,.0f begun/s  %,.0f frames/s",
                active, ended, failed, progress.begun() / span, progress.outputs() / span);
        row(
                "  ttft %s %s ms   gap %s %s ms",
                sparks(ttfts), Numbers.of(last(ttfts)), sparks(gaps), Numbers.of(last(gaps)));
        out.flush();
    }

    private void row(String format, Object... arguments) {
        out.print(String.format(Locale.ROOT, format, arguments) + "\033[K\n");
    }

    private String of() {
        return shape.durationNs() == Long.MAX_VALUE
                ? ""
                : String.format(Locale.ROOT, " of %.0f", (shape.leadNs() + shape.durationNs()) / 1e9);
    }

    /** A progress bar, by time or by streams. */
    private String bar(double seconds) {
        double share = shape.durationNs() != Long.MAX_VALUE
                ? seconds * 1e9 / (shape.leadNs() + shape.durationNs())
                : (double) (ended + failed) / shape.requests();
        int full = (int) Math.round(BAR * Math.max(0, Math.min(1, share)));
        return "[" + "#".repeat(full) + "-".repeat(BAR - full) + "]";
    }

    private static void remember(Deque<Double> values, double value) {
        values.add(value);
        if (values.size() > SPARKS) {
            values.remove();
        }
    }

    private static double last(Deque<Double> values) {
        double last = Double.NaN;
        for (double value : values) {
            last = Double.isNaN(value) ? last : value;
        }
        return last;
    }

    /** Each value as a block. Its height is the value's share of the largest. */
    static String sparks(Iterable<Double> values) {
        double most = 0;
        for (double value : values) {
            most = Double.isNaN(value) ? most : Math.max(most, value);
        }
        var sparks = new StringBuilder();
        for (double value : values) {
            int height = most == 0 ? 0 : (int) Math.round(value / most * (BARS.length() - 1));
            sparks.append(Double.isNaN(value) ? ' ' : BARS.charAt(height));
        }
        return sparks.toString();
    }
}
