package io.millrace.bench.report;

import io.millrace.bench.stats.Breakdown;
import io.millrace.bench.stats.Distribution;
import io.millrace.bench.stats.Metric;
import io.millrace.bench.stats.RunResult;
import io.millrace.bench.stats.Verdict;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** A result as a table for a terminal. The definitions of the figures follow the table. */
public final class TextReport {
    private static final String ROW = "%-24s %8s %9s  %-19s %9s %9s %9s %9s %9s%n";
    private static final Set<Metric> ALWAYS = EnumSet.of(Metric.TTFT, Metric.TTFT_SENT, Metric.ITL, Metric.E2E);
    private static final Set<Metric> SHORT = EnumSet.of(Metric.TPOT, Metric.TRANSIT, Metric.FIRST_REASONING);
    private static final int WIDTH = 110;
    private static final double MUCH = 1.2;

    private final StringBuilder out = new StringBuilder();
    private final boolean explains;

    private TextReport(boolean explains) {
        this.explains = explains;
    }

    /**
     * The report: the answer first, then the figures.
     *
     * @param explains whether to print all figures of each load, and what they mean
     */
    public static String of(Subject subject, Answer answer, boolean explains) {
        var report = new TextReport(explains);
        report.line("millrace bench %s", subject.version());
        report.line(
                "%-12s %s, %s, model %s, %s",
                "target", subject.url(), subject.dialect(), subject.model(), subject.protocol());
        report.line("%-12s %s", "load", subject.load());
        if (subject.interrupted()) {
            report.line("%-12s stopped by the user; what follows was measured until then", "INTERRUPTED");
        }
        report.out.append(answer.text());
        var shown = EnumSet.noneOf(Metric.class);
        boolean several = subject.points().size() > 1;
        if (several) {
            report.sweep(subject);
        }
        if (!several || explains) {
            subject.points().forEach(point -> report.point(point, several, shown));
        }
        if (explains) {
            report.line("");
            report.line("%s", subject.origin().command());
            report.line("%s", subject.origin().environmentText());
            report.definitions(shown);
        } else {
            report.line("");
            report.line("%s", "--explain prints every figure and what it means.");
        }
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
            boolean wanted = explains || SHORT.contains(metric);
            if (ALWAYS.contains(metric) || (wanted && values.count() > 0 && !trivial)) {
                shown.add(metric);
                row(metric, values);
            }
        }
        sessions(result);
        notes(result);
    }

    /** The times to first token by turn and by the length of the prompt. */
    private void sessions(RunResult result) {
        if (result.byTurn().parts().isEmpty()) {
            return;
        }
        line("");
        line(
                "%-12s %,d ended: %,d whole, %,d broken off or cut by the end; %,d turns sent a tool's result",
                "sessions",
                result.sessions(),
                result.wholeSessions(),
                result.sessions() - result.wholeSessions(),
                result.toolTurns());
        parts("ttft by turn", result.byTurn());
        parts("ttft by prompt tokens", result.byPrompt());
    }

    private void parts(String title, Breakdown breakdown) {
        String row = "%-24s %8s %13s %9s %9s %9s %9s";
        line("");
        line(row, title, "count", "prompt p50", "p50", "p90", "p99", "max");
        for (var part : breakdown.parts()) {
            line(
                    row,
                    "  " + part.label(),
                    String.format(Locale.ROOT, "%,d", part.ttft().count()),
                    String.format(Locale.ROOT, "%,.0f", part.promptTokens().percentile(50)),
                    Numbers.of(part.ttft().percentile(50)),
                    Numbers.tail(part.ttft(), 90),
                    Numbers.tail(part.ttft(), 99),
                    Numbers.of(part.ttft().max()));
        }
    }

    private void verdict(RunResult result) {
        var verdict = result.verdict();
        line("%-12s %s", "client", verdict.grade());
        verdict.reasons().forEach(reason -> line("%-12s   %s", "", reason));
        if (!verdict.reasons().isEmpty()) {
            line("%-12s   %s", "", Numbers.meaning(verdict.grade()));
        }
    }

    private void counts(RunResult result) {
        if (result.isInterrupted()) {
            line("%-12s %s", "stopped", Numbers.stopped(result));
        }
        line(
                "%-12s %,d: %,d completed, %,d failed%s%s",
                "streams",
                result.streams(),
                result.completed(),
                result.failed(),
                result.left() > 0 ? String.format(Locale.ROOT, ", %,d left on purpose", result.left()) : "",
                result.interrupted() > 0
                        ? String.format(Locale.ROOT, ", %,d cut at the end", result.interrupted())
                        : "");
        result.errors().forEach((what, count) -> line("%-12s   %,d %s", "", count, what));
        result.refusals().forEach((status, text) -> line("%-12s   %d said: %s", "", status, shortened(text)));
        throughput(result);
        if (result.slo() != null) {
            line(
                    "%-12s %s/s, %s of all streams kept %s",
                    "goodput",
                    Numbers.of(result.throughput().goodPerSecond()),
                    Numbers.percent(result.streams() == 0 ? Double.NaN : (double) result.good() / result.streams()),
                    result.slo());
        }
    }

    private void throughput(RunResult result) {
        var throughput = result.throughput();
        line(
                "%-12s %s requests/s of %s/s offered, %s output tokens/s (tokens from %s), in %s s",
                "throughput",
                Numbers.of(throughput.requestsPerSecond()),
                Numbers.of(throughput.offeredPerSecond()),
                Numbers.of(throughput.tokensPerSecond()),
                result.tokenSource(),
                Numbers.of(throughput.seconds()));
        if (!result.isSteady()) {
            line("%-12s   %s", "", Numbers.unsteady(result));
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
        if (result.coalescing() > MUCH || (explains && !Double.isNaN(result.coalescing()))) {
            line(
                    "%-12s %s output frames per read%s",
                    "coalescing",
                    Numbers.fixed(result.coalescing(), 3),
                    result.coalescing() > MUCH ? ": something on the way holds tokens together, or sends several" : "");
        }
        if (explains || result.stalls() > 0) {
            line("%-12s %,d gaps over the threshold, in %,d streams", "stalls", result.stalls(), result.stalled());
        }
        if (result.behaved() > 0) {
            line(
                    "%-12s %,d streams whose clients cancelled, read slowly or fell silent; their times are left out",
                    "clients", result.behaved());
        }
        if (result.stale() > 0) {
            line("%-12s %,d requests sent again: the server had closed the idle connection", "stale", result.stale());
        }
        if (!explains) {
            return;
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
                "%-14s %10s %10s %10s %10s %10s %10s %10s %9s  %s",
                "load",
                "offered/s",
                "done/s",
                "tokens/s",
                "ttft p50",
                "ttft p99",
                "itl p50",
                "itl p99",
                "failed",
                "client");
        for (var point : subject.points()) {
            line(
                    "%-14s %10s %10s %10s %10s %10s %10s %10s %9s  %s",
                    point.shape().label(),
                    Numbers.of(point.throughput().offeredPerSecond()),
                    Numbers.of(point.throughput().requestsPerSecond()),
                    Numbers.of(point.throughput().tokensPerSecond()),
                    Numbers.of(point.of(Metric.TTFT).percentile(50)),
                    Numbers.tail(point.of(Metric.TTFT), 99),
                    Numbers.of(point.of(Metric.ITL).percentile(50)),
                    Numbers.tail(point.of(Metric.ITL), 99),
                    Numbers.percent(point.errorRate()),
                    point.verdict().grade());
        }
        if (!explains) {
            for (var point : subject.points()) {
                String label = point.shape().label();
                if (point.verdict().grade() == Verdict.Grade.INVALID) {
                    line(
                            "%s: client: %s",
                            label, String.join("; ", point.verdict().reasons()));
                }
                point.errors().forEach((what, count) -> line("%s: %,d %s", label, count, what));
            }
            subject.points().stream()
                    .filter(point -> !point.isSteady())
                    .findFirst()
                    .ifPresent(point -> line("%s: %s", point.shape().label(), Numbers.unsteady(point)));
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
