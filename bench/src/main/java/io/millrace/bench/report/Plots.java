package io.millrace.bench.report;

import io.millrace.bench.report.Plot.Axis;
import io.millrace.bench.stats.Breakdown;
import io.millrace.bench.stats.Distribution;
import io.millrace.bench.stats.Metric;
import io.millrace.bench.stats.RunResult;
import io.millrace.bench.stats.Series;
import io.millrace.bench.stream.StreamSample;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import java.util.function.IntToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** The plots of a page. */
final class Plots {
    private static final int BINS = 56;
    private static final int HEIGHT = 230;
    private static final int WIDE = 2 * Plot.WIDTH + 24;
    private static final double NS_PER_S = 1e9;
    private static final double NS_PER_MS = 1e6;

    private Plots() {}

    /** The distribution of times. The axis is logarithmic if the times differ much. */
    static String distribution(Metric metric, Distribution values) {
        double low = Math.max(values.min(), 0.001);
        double high = Math.max(values.max(), low * 1.001);
        boolean logarithmic = high / low > 30;
        double from = logarithmic ? low : Math.max(0, low - 0.05 * (high - low));
        double to = logarithmic ? high : high + 0.05 * (high - low);
        double[] edges = new double[BINS + 1];
        for (int i = 0; i <= BINS; i++) {
            double share = (double) i / BINS;
            edges[i] = logarithmic ? from * Math.pow(to / from, share) : from + (to - from) * share;
        }
        double[] counts = counts(values, edges);
        double most = IntStream.range(0, BINS).mapToDouble(i -> counts[i]).max().orElse(1);
        var plot = new Plot(
                metric.title(),
                Plot.WIDTH,
                HEIGHT,
                new Axis("ms" + (logarithmic ? ", logarithmic" : ""), from, to, logarithmic),
                Axis.linear("% of all", 0, 125 * most));
        for (int i = 0; i < BINS; i++) {
            if (counts[i] > 0) {
                String tip = Numbers.of(edges[i]) + " to " + Numbers.of(edges[i + 1]) + " ms: "
                        + Numbers.fixed(100 * counts[i], 2) + "%";
                plot.bar(edges[i], edges[i + 1], 100 * counts[i], "fill a", tip);
            }
        }
        plot.mark(values.percentile(50), "p50 " + Numbers.of(values.percentile(50)), 0);
        if (values.count() >= 100) {
            plot.mark(values.percentile(99), "p99 " + Numbers.of(values.percentile(99)), 1);
        }
        return plot.end();
    }

    private static double[] counts(Distribution values, double[] edges) {
        double[] counts = new double[edges.length - 1];
        double scale = values.histogram().getTotalCount();
        int bin = 0;
        for (var value : values.histogram().recordedValues()) {
            double at = value.getValueIteratedTo() / NS_PER_MS;
            while (bin < counts.length - 1 && at > edges[bin + 1]) {
                bin++;
            }
            counts[bin] += value.getCountAddedInThisIterationStep() / scale;
        }
        return counts;
    }

    /** For each time the share of the values that do not exceed it: of the target and of the baseline. */
    static String shares(Metric metric, Distribution target, Distribution baseline) {
        double low = Math.max(0.001, Math.min(target.min(), baseline.min()));
        double high = Math.max(high(target), high(baseline));
        boolean logarithmic = high / low > 30;
        var plot = new Plot(
                metric.title() + " of both ways",
                WIDE,
                HEIGHT,
                new Axis("ms" + (logarithmic ? ", logarithmic" : ""), logarithmic ? low : 0, high, logarithmic),
                Axis.linear("% of all", 0, 105));
        double[] percents =
                IntStream.rangeClosed(0, 199).mapToDouble(i -> i / 2.0 + 0.25).toArray();
        String[] kinds = {"w", "a"};
        Distribution[] both = {baseline, target};
        for (int k = 0; k < both.length; k++) {
            double[] times = new double[percents.length];
            for (int i = 0; i < times.length; i++) {
                times[i] = both[k].percentile(percents[i]);
            }
            plot.curve(times, percents, "line " + kinds[k]);
            plot.mark(
                    both[k].percentile(50),
                    (k == 0 ? "baseline" : "target") + " p50 " + Numbers.of(both[k].percentile(50)),
                    k);
        }
        return plot.end();
    }

    private static double high(Distribution values) {
        double tail = values.told(99);
        return Double.isNaN(tail) ? values.max() : tail;
    }

    /** Every stream as a line: first the wait, then the tokens. */
    static String timeline(RunResult result) {
        var samples = result.samples().stream()
                .sorted(Comparator.comparingLong(StreamSample::scheduledNs))
                .toList();
        long base = samples.get(0).scheduledNs();
        double end = samples.stream().mapToLong(StreamSample::endNs).max().orElse(base) - base;
        double rowHeight = Math.max(0.5, Math.min(8, 560.0 / samples.size()));
        int height = (int) Math.max(120, rowHeight * samples.size() + 60);
        var plot = new Plot(
                "timeline of streams",
                WIDE,
                height,
                Axis.linear("seconds", 0, end / NS_PER_S),
                Axis.linear("streams", samples.size(), 0));
        double thickness = Math.max(0.4, rowHeight * 0.8);
        for (int i = 0; i < samples.size(); i++) {
            draw(plot, samples.get(i), base, i + 0.5, thickness);
        }
        return plot.end();
    }

    private static void draw(Plot plot, StreamSample sample, long base, double row, double thickness) {
        double from = (sample.scheduledNs() - base) / NS_PER_S;
        double end = (sample.endNs() - base) / NS_PER_S;
        double first = sample.firstOutputNs() == 0 ? end : (sample.firstOutputNs() - base) / NS_PER_S;
        String tip = String.format(
                Locale.ROOT,
                "stream %d: %s%s, first output after %s ms, %d outputs, end after %s ms",
                sample.index(),
                sample.outcome().label(),
                sample.detail().isEmpty() ? "" : " (" + sample.detail() + ")",
                sample.firstOutputNs() == 0 ? "-" : Numbers.of((first - from) * 1000),
                sample.outputs(),
                Numbers.of((end - from) * 1000));
        boolean error = sample.outcome().isError();
        plot.span(from, first, row, thickness, error ? "fill e" : "fill w", tip);
        if (sample.firstOutputNs() != 0) {
            plot.span(first, end, row, thickness, error ? "fill e" : "fill a", tip);
        }
    }

    /** Output frames a second over time. */
    static String throughput(RunResult result) {
        var series = result.series();
        double[] frames = values(series, i -> series.outputs(i) / series.widthSeconds());
        var plot = overTime(result, "output frames a second", max(frames)).curve(times(series), frames, "line a");
        return hover(plot, series, i -> Numbers.of(frames[i]) + " output frames a second")
                .end();
    }

    /** Streams in progress and failed streams over time. */
    static String streams(RunResult result) {
        var series = result.series();
        double[] active = new double[series.size()];
        double now = 0;
        for (int i = 0; i < active.length; i++) {
            now += series.begun(i) - series.completed(i) - series.failed(i);
            active[i] = Math.max(0, now);
        }
        double[] failed = values(series, i -> series.failed(i) / series.widthSeconds());
        var plot = overTime(result, "streams", Math.max(max(active), max(failed)))
                .curve(times(series), active, "line a")
                .curve(times(series), failed, "line e");
        return hover(
                        plot,
                        series,
                        i -> Numbers.of(active[i]) + " in progress, " + Numbers.of(failed[i]) + " failed a second")
                .end();
    }

    /** Time to first token over time. */
    static String ttft(RunResult result) {
        var series = result.series();
        double[] mean = values(series, series::meanTtftMs);
        double[] most = values(series, series::maxTtftMs);
        var plot = overTime(result, "ttft, ms: mean and longest", max(most))
                .curve(times(series), most, "line w")
                .curve(times(series), mean, "line a");
        return hover(plot, series, i -> "mean " + Numbers.of(mean[i]) + " ms, longest " + Numbers.of(most[i]) + " ms")
                .end();
    }

    /** A plot over the time of the run, with what was not measured shaded. */
    private static Plot overTime(RunResult result, String label, double most) {
        double end = result.series().size() * result.series().widthSeconds();
        double to = Math.min(end, result.measuredFromSeconds() + result.measuredSeconds());
        // Without a warm-up, the moments before the first stream are nothing to show.
        double from = result.shape().leadNs() > 0 ? Math.min(end, result.measuredFromSeconds()) : 0;
        return new Plot(
                        label + " over time",
                        Plot.WIDTH,
                        HEIGHT,
                        Axis.linear("seconds", 0, end),
                        Axis.linear(label, 0, most * 1.05))
                .shade(0, from, "ramp and warm-up, not measured")
                .shade(to, end, "after the measured part: streams come to their end");
    }

    private static Plot hover(Plot plot, Series series, IntFunction<String> tip) {
        double width = series.widthSeconds();
        for (int i = 0; i < series.size(); i++) {
            plot.hover(i * width, (i + 1) * width, Numbers.of(i * width) + " s: " + tip.apply(i));
        }
        return plot;
    }

    /** Percentiles of a metric by the amount of load. */
    static String byLoad(List<RunResult> points, Metric metric, double found) {
        double[] loads = points.stream().mapToDouble(Plots::load).toArray();
        var slo = points.get(0).slo();
        double limit = slo == null ? Double.NaN : slo.limitMs(metric);
        double most = points.stream()
                .flatMapToDouble(point -> DoubleStream.of(
                        point.of(metric).percentile(50), point.of(metric).told(99), limit))
                .filter(Double::isFinite)
                .max()
                .orElse(1);
        double low = IntStream.range(0, loads.length)
                .mapToDouble(i -> loads[i])
                .min()
                .orElse(1);
        double high = max(loads);
        boolean open = points.get(0).shape().isOpen();
        var plot = new Plot(
                metric.title() + " by load",
                Plot.WIDTH,
                HEIGHT,
                new Axis(open ? "streams a second" : "streams at once", low, high, low > 0 && high / low > 8),
                Axis.linear(metric.key() + ", ms: p50, p90, p99", 0, most * 1.05));
        if (Double.isFinite(limit)) {
            plot.level(limit, "--slo " + Numbers.of(limit) + " ms");
        }
        if (found > 0) {
            plot.mark(found, "highest good rate " + Numbers.of(found) + "/s", 0);
        }
        String[] kinds = {"a", "b", "w"};
        double[] percents = {50, 90, 99};
        for (int k = percents.length - 1; k >= 0; k--) {
            double[] values = new double[loads.length];
            for (int i = 0; i < loads.length; i++) {
                values[i] = points.get(i).of(metric).told(percents[k]);
            }
            plot.curve(loads, values, "line " + kinds[k]);
            for (int i = 0; i < loads.length; i++) {
                if (Double.isFinite(values[i])) {
                    String tip =
                            points.get(i).shape().label() + ", p" + (int) percents[k] + ": " + Numbers.of(values[i]);
                    plot.dot(loads[i], values[i], "fill " + kinds[k], tip);
                }
            }
        }
        return plot.end();
    }

    /**
     * The time to first token of each class of the streams of sessions: p50 and p90.
     *
     * @param byPrompt whether a class is where its prompts are, on a logarithmic axis; else at its lowest number
     */
    static String byClass(String label, boolean byPrompt, Breakdown breakdown) {
        var parts = breakdown.parts();
        double[] at = parts.stream()
                .mapToDouble(part -> byPrompt ? Math.max(1, part.promptTokens().percentile(50)) : part.from())
                .toArray();
        double most = parts.stream()
                .flatMapToDouble(part ->
                        DoubleStream.of(part.ttft().percentile(50), part.ttft().told(90)))
                .filter(Double::isFinite)
                .max()
                .orElse(1);
        double low = at[0];
        double high = Math.max(at[at.length - 1], low + 1);
        var plot = new Plot(
                "time to first token by " + label,
                Plot.WIDTH,
                HEIGHT,
                new Axis(label, low, high, byPrompt && high / low > 8),
                Axis.linear("ttft, ms: p50, p90", 0, most * 1.05));
        double[] percents = {90, 50};
        String[] kinds = {"w", "a"};
        for (int k = 0; k < percents.length; k++) {
            double[] values = new double[at.length];
            for (int i = 0; i < at.length; i++) {
                values[i] = parts.get(i).ttft().told(percents[k]);
            }
            plot.curve(at, values, "line " + kinds[k]);
            for (int i = 0; i < at.length; i++) {
                if (Double.isFinite(values[i])) {
                    String tip = label + " " + parts.get(i).label() + ", p" + (int) percents[k] + ": "
                            + Numbers.of(values[i]) + " ms of "
                            + parts.get(i).ttft().count();
                    plot.dot(at[i], values[i], "fill " + kinds[k], tip);
                }
            }
        }
        return plot.end();
    }

    private static double load(RunResult point) {
        return point.shape().isOpen() ? point.shape().rate() : point.shape().concurrency();
    }

    private static double[] times(Series series) {
        return values(series, i -> (i + 0.5) * series.widthSeconds());
    }

    private static double[] values(Series series, IntToDoubleFunction value) {
        return IntStream.range(0, series.size()).mapToDouble(value).toArray();
    }

    private static double max(double[] values) {
        double most = 0;
        for (double value : values) {
            most = Double.isFinite(value) ? Math.max(most, value) : most;
        }
        return most == 0 ? 1 : most;
    }
}
