package io.millrace.bench.report;

import io.millrace.bench.stats.Distribution;
import io.millrace.bench.stats.Metric;
import io.millrace.bench.stats.RunResult;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** A result as a table for a terminal. The definitions of the figures follow the table. */
public final class TextReport {
    private static final String ROW = "%-24s %8s %9s  %-19s %9s %9s %9s %9s %9s%n";
    private static final Set<Metric> ALWAYS = EnumSet.of(Metric.TTFT, Metric.TTFT_SENT, Metric.ITL, Metric.E2E);
    private static final int WIDTH = 110;

    private final StringBuilder out = new StringBuilder();

    private TextReport() {}

    /** The whole report. */
    public static String of(Subject subject) {
        var report = new TextReport();
        report.line("millrace bench %s", subject.version());
        report.line("%-12s %s, %s, model %s", "target", subject.url(), subject.dialect(), subject.model());
        report.line("%-12s %s", "load", subject.load());
        var shown = EnumSet.noneOf(Metric.class);
        for (var point : subject.points()) {
            report.point(point, subject.points().size() > 1, shown);
        }
        if (subject.points().size() > 1) {
            report.sweep(subject);
        }
        report.definitions(shown);
        return report.out.toString();
    }

    private void point(RunResult result, boolean named, Set<Metric> shown) {
        if (named) {
            line("");
            line("== %s", result.shape().label());
        }
        verdict(result);
        counts(result);
        line("");
        out.append(
                String.format(Locale.ROOT, ROW, "", "count", "p50", "[95% CI]", "p90", "p99", "p99.9", "max", "mean"));
        for (var metric : Metric.values()) {
            var values = result.of(metric);
            boolean trivial = (metric == Metric.TOKENS_PER_FRAME || metric == Metric.FRAMES_PER_READ)
                    && values.count() > 0
                    && values.min() == 1
                    && values.max() == 1;
            if (ALWAYS.contains(metric) || (values.count() > 0 && !trivial)) {
                shown.add(metric);
                row(metric, values);
            }
        }
        notes(result);
    }

    private void verdict(RunResult result) {
        var verdict = result.verdict();
        line("%-12s %s", "client", verdict.grade());
        verdict.reasons().forEach(reason -> line("%-12s   %s", "", reason));
        switch (verdict.grade()) {
            case VALID -> {}
            case SUSPECT -> line("%-12s   percentiles near the top may be this client's own", "");
            case INVALID -> line("%-12s   the times are this client's as much as the target's", "");
        }
    }

    private void counts(RunResult result) {
        line(
                "%-12s %,d in %s s: %,d completed, %,d failed%s",
                "streams",
                result.streams(),
                Numbers.of(result.seconds()),
                result.completed(),
                result.failed(),
                result.left() > 0 ? String.format(Locale.ROOT, ", %,d left as told", result.left()) : "");
        result.errors().forEach((what, count) -> line("%-12s   %,d %s", "", count, what));
        result.refusals().forEach((status, text) -> line("%-12s   %d said: %s", "", status, shortened(text)));
        line(
                "%-12s %s requests/s, %s output tokens/s (tokens from %s), %s output frames",
                "throughput",
                Numbers.of(result.requestsPerSecond()),
                Numbers.of(result.tokensPerSecond()),
                result.tokenSource(),
                String.format(Locale.ROOT, "%,d", result.outputs()));
        if (result.slo() != null) {
            line(
                    "%-12s %s/s, %s of all streams kept %s",
                    "goodput",
                    Numbers.of(result.goodPerSecond()),
                    Numbers.percent(result.streams() == 0 ? Double.NaN : (double) result.good() / result.streams()),
                    result.slo());
        }
    }

    private void row(Metric metric, Distribution values) {
        String unit = metric.unit().label();
        out.append(String.format(
                Locale.ROOT,
                ROW,
                metric.key() + (unit.isEmpty() ? "" : " " + unit),
                String.format(Locale.ROOT, "%,d", values.count()),
                Numbers.of(values.percentile(50)),
                values.count() == 0
                        ? "-"
                        : "[" + Numbers.of(values.medianLow()) + ", " + Numbers.of(values.medianHigh()) + "]",
                Numbers.tail(values, 90),
                Numbers.tail(values, 99),
                Numbers.tail(values, 99.9),
                Numbers.of(values.max()),
                Numbers.of(values.mean())));
    }

    private void notes(RunResult result) {
        line("");
        if (!Double.isNaN(result.coalescing())) {
            line(
                    "%-12s %s output frames per read%s",
                    "coalescing",
                    Numbers.fixed(result.coalescing(), 3),
                    result.coalescing() > 1.2 ? ": something on the way holds tokens together, or sends several" : "");
        }
        line("%-12s %,d gaps over the threshold, in %,d streams", "stalls", result.stalls(), result.stalled());
        if (result.behaved() > 0) {
            line(
                    "%-12s %,d streams whose clients cancelled, read slowly or fell silent; their times are left out",
                    "clients", result.behaved());
        }
        if (result.stale() > 0) {
            line("%-12s %,d requests sent again: the server had closed the idle connection", "stale", result.stale());
        }
        var vitals = result.vitals();
        line(
                "%-12s busiest event loop %s of a processor, process %s of %d, machine %s; GC %s s, longest %s ms",
                "client",
                Numbers.percent(vitals.busiestLoop()),
                Numbers.fixed(vitals.processCpu(), 2),
                vitals.processors(),
                Numbers.percent(vitals.systemCpu()),
                Numbers.fixed(vitals.gcSeconds(), 3),
                Numbers.fixed(vitals.gcLongestMs(), 0));
    }

    private void sweep(Subject subject) {
        line("");
        line(
                "%-14s %10s %10s %10s %10s %10s %10s %9s",
                "load", "req/s", "tokens/s", "ttft p50", "ttft p99", "itl p50", "itl p99", "failed");
        for (var point : subject.points()) {
            line(
                    "%-14s %10s %10s %10s %10s %10s %10s %9s",
                    point.shape().label(),
                    Numbers.of(point.requestsPerSecond()),
                    Numbers.of(point.tokensPerSecond()),
                    Numbers.of(point.of(Metric.TTFT).percentile(50)),
                    Numbers.tail(point.of(Metric.TTFT), 99),
                    Numbers.of(point.of(Metric.ITL).percentile(50)),
                    Numbers.tail(point.of(Metric.ITL), 99),
                    Numbers.percent(point.errorRate()));
        }
    }

    private void definitions(Set<Metric> shown) {
        line("");
        line("What the figures mean (docs/metrics.md has the formulas):");
        for (var metric : shown) {
            String elsewhere = metric.elsewhere().isEmpty() ? "" : " [" + metric.elsewhere() + "]";
            wrap(String.format(Locale.ROOT, "  %-16s ", metric.key()), metric.definition() + elsewhere);
        }
        Definitions.OTHERS.forEach((name, text) -> wrap(String.format(Locale.ROOT, "  %-16s ", name), text));
    }

    private void wrap(String head, String text) {
        var row = new StringBuilder(head);
        for (String word : text.split(" ", -1)) {
            if (row.length() + word.length() > WIDTH) {
                line("%s", row.toString().stripTrailing());
                row.setLength(0);
                row.append(" ".repeat(head.length()));
            }
            row.append(word).append(' ');
        }
        line("%s", row.toString().stripTrailing());
    }

    private static String shortened(String text) {
        String line = text.replaceAll("\\s+", " ").strip();
        return line.length() <= 200 ? line : line.substring(0, 200) + "…";
    }

    private void line(String format, Object... arguments) {
        out.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
