package io.millrace.bench.report;

import static io.millrace.bench.report.Plot.escape;

import io.millrace.bench.stats.Breakdown;
import io.millrace.bench.stats.Distribution;
import io.millrace.bench.stats.Metric;
import io.millrace.bench.stats.RunResult;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/**
 * A result as one page that loads nothing else: no script, no font, no request. The plots are part of the page. Their
 * colours follow the light or dark theme of the reader.
 */
public final class HtmlReport {
    private final Subject subject;
    private final Answer answer;
    private final StringBuilder out = new StringBuilder();

    private HtmlReport(Subject subject, Answer answer) {
        this.subject = subject;
        this.answer = answer;
    }

    /** Writes the file. */
    public static void write(Path file, Subject subject, Answer answer) throws IOException {
        Files.writeString(file, of(subject, answer));
    }

    /** The whole page. */
    public static String of(Subject subject, Answer answer) throws IOException {
        var report = new HtmlReport(subject, answer);
        report.page();
        return report.out.toString();
    }

    private void page() throws IOException {
        out.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        out.append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src"
                + " 'unsafe-inline'; img-src data:\">\n");
        out.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        out.append("<meta name=\"color-scheme\" content=\"light dark\">\n");
        out.append("<link rel=\"icon\" href=\"data:,\">\n");
        out.append("<title>")
                .append(escape("millrace bench: " + subject.model() + " at " + subject.url()))
                .append("</title>\n");
        out.append("<style>\n").append(style()).append("</style>\n</head>\n<body>\n<main>\n");
        head();
        out.append(answer.html());
        if (subject.points().size() > 1) {
            sweep();
        }
        for (var point : subject.points()) {
            point(point);
        }
        origin();
        definitions();
        out.append("</main>\n</body>\n</html>\n");
    }

    private void head() {
        line("<h1>%s at %s</h1>", escape(subject.model()), escape(subject.url()));
        line(
                "<p class=\"sub\">%s, %s. %s. %s, millrace bench %s.</p>",
                escape(subject.dialect()),
                escape(subject.protocol()),
                escape(subject.load()),
                escape(subject.last().begunAt().truncatedTo(ChronoUnit.SECONDS).toString()),
                escape(subject.version()));
        if (subject.interrupted()) {
            line("<p class=\"verdict invalid\"><b>INTERRUPTED</b> The user stopped it; what follows was measured until"
                    + " then.</p>");
        }
    }

    private void origin() {
        line("<h2>Run it again</h2>\n<pre>%s</pre>", escape(subject.origin().command()));
        line(
                "<p class=\"sub\">Prompt: %s. %s.</p>",
                escape(subject.origin().prompt()), escape(subject.origin().environmentText()));
    }

    private void sweep() {
        line("<h2>By load</h2>\n<div class=\"grid2\">");
        String keys = key("a", "p50") + key("b", "p90") + key("w", "p99");
        figure("Time to first token", keys, Plots.byLoad(subject.points(), Metric.TTFT, answer.rate()));
        figure("Inter-token latency", keys, Plots.byLoad(subject.points(), Metric.ITL, answer.rate()));
        line("</div>");
        line("<div class=\"scroll\"><table><thead><tr><th>load</th><th>offered/s</th><th>done/s</th><th>tokens/s</th>"
                + "<th>ttft p50</th><th>ttft p99</th><th>itl p50</th><th>itl p99</th><th>failed</th>"
                + "<th>client</th></tr></thead><tbody>");
        for (var point : subject.points()) {
            line(
                    "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td>"
                            + "<td>%s</td><td>%s</td></tr>",
                    escape(point.shape().label()),
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
        line("</tbody></table></div>");
    }

    private void point(RunResult result) {
        if (subject.points().size() > 1) {
            line("<h2>%s</h2>", escape(result.shape().label()));
        }
        verdict(result);
        cautions(result);
        tiles(result);
        errors(result);
        line("<div class=\"grid2\">");
        distribution(result, Metric.TTFT);
        distribution(result, Metric.ITL);
        if (!result.isMerged()) {
            String frames = Plots.throughput(result);
            String shaded = frames.contains("class=\"shade\"") ? key("shade", "not measured") : "";
            figure("Output frames a second", shaded, frames);
            figure("Streams", key("a", "in progress") + key("e", "failed a second") + shaded, Plots.streams(result));
            figure("Time to first token", key("a", "mean") + key("w", "longest") + shaded, Plots.ttft(result));
        }
        distribution(result, result.of(Metric.TRANSIT).count() > 0 ? Metric.TRANSIT : Metric.E2E);
        line("</div>");
        if (!result.samples().isEmpty()) {
            String which = result.samples().size() < result.streams()
                    ? String.format(
                            Locale.ROOT,
                            "%,d of %,d streams, chosen evenly",
                            result.samples().size(),
                            result.streams())
                    : "Every stream";
            figure(
                    which,
                    key("w", "until its first output") + key("a", "until its end") + key("e", "failed"),
                    Plots.timeline(result));
        }
        sessions(result);
        table(result);
    }

    private void sessions(RunResult result) {
        if (result.byTurn().parts().isEmpty()) {
            return;
        }
        line("<h2>Sessions</h2>");
        line(
                "<p>%,d ended: %,d with all their turns. %,d turns sent the result of a tool.</p>",
                result.sessions(), result.wholeSessions(), result.toolTurns());
        line("<div class=\"grid2\">");
        String keys = key("a", "p50") + key("w", "p90");
        figure("Time to first token by turn", keys, Plots.byClass("turn", false, result.byTurn()));
        figure("Time to first token by tokens of the prompt", keys, Plots.byClass("tokens", true, result.byPrompt()));
        parts("turn", result.byTurn());
        parts("tokens", result.byPrompt());
        line("</div>");
    }

    private void parts(String name, Breakdown breakdown) {
        line(
                "<div class=\"scroll\"><table><thead><tr><th>%s</th><th>count</th><th>prompt p50</th><th>ttft p50</th>"
                        + "<th>p90</th><th>p99</th><th>max</th></tr></thead><tbody>",
                name);
        for (var part : breakdown.parts()) {
            line(
                    "<tr><td>%s</td><td>%,d</td><td>%,.0f</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>",
                    escape(part.label()),
                    part.ttft().count(),
                    part.promptTokens().percentile(50),
                    Numbers.of(part.ttft().percentile(50)),
                    Numbers.tail(part.ttft(), 90),
                    Numbers.tail(part.ttft(), 99),
                    Numbers.of(part.ttft().max()));
        }
        line("</tbody></table></div>");
    }

    private void verdict(RunResult result) {
        var verdict = result.verdict();
        line(
                "<p class=\"verdict %s\"><b>%s</b> %s</p>",
                verdict.grade().name().toLowerCase(Locale.ROOT),
                verdict.grade(),
                verdict.reasons().isEmpty()
                        ? "The client had time to spare: the figures are the target's."
                        : escape(String.join("; ", verdict.reasons()) + ". " + Numbers.meaning(verdict.grade())));
    }

    private void cautions(RunResult result) {
        if (result.isInterrupted()) {
            line("<p class=\"verdict invalid\"><b>INTERRUPTED</b> %s</p>", escape(Numbers.stopped(result)));
        }
        if (!result.isSteady()) {
            line("<p class=\"verdict suspect\"><b>Throughput</b> %s</p>", escape(Numbers.unsteady(result)));
        }
    }

    private void tiles(RunResult result) {
        line("<dl class=\"tiles\">");
        tile("ttft p50", Numbers.of(result.of(Metric.TTFT).percentile(50)) + " ms");
        tile("ttft p99", Numbers.tail(result.of(Metric.TTFT), 99) + " ms");
        tile("gap p50", Numbers.of(result.of(Metric.ITL).percentile(50)) + " ms");
        tile("gap p99", Numbers.tail(result.of(Metric.ITL), 99) + " ms");
        tile("offered/s", Numbers.of(result.throughput().offeredPerSecond()));
        tile("done/s", Numbers.of(result.throughput().requestsPerSecond()));
        tile("tokens/s", Numbers.of(result.throughput().tokensPerSecond()));
        tile("completed", String.format(Locale.ROOT, "%,d", result.completed()));
        tile("failed", String.format(Locale.ROOT, "%,d", result.failed()));
        if (result.slo() != null) {
            tile("good/s", Numbers.of(result.throughput().goodPerSecond()));
        }
        tile("frames/read", Numbers.fixed(result.coalescing(), 2));
        line("</dl>");
    }

    private void tile(String name, String value) {
        line("<div><dt>%s</dt><dd>%s</dd></div>", escape(name), escape(value.equals("- ms") ? "-" : value));
    }

    private void errors(RunResult result) {
        if (!result.errors().isEmpty()) {
            line("<ul class=\"errors\">");
            result.errors().forEach((what, count) -> line("<li>%,d %s</li>", count, escape(what)));
            line("</ul>");
        }
    }

    private void distribution(RunResult result, Metric metric) {
        if (result.of(metric).count() > 0) {
            String title = metric.title().substring(0, 1).toUpperCase(Locale.ROOT)
                    + metric.title().substring(1);
            figure(title, "", Plots.distribution(metric, result.of(metric)));
        }
    }

    /** One colour of a legend. */
    private static String key(String kind, String word) {
        return " <span class=\"key " + kind + "\">" + escape(word) + "</span>";
    }

    private void figure(String caption, String keys, String svg) {
        line("<figure><figcaption>%s%s</figcaption>\n%s</figure>", escape(caption), keys, svg);
    }

    private void table(RunResult result) {
        line("<div class=\"scroll\"><table><thead><tr><th></th><th>count</th><th>p50</th><th>95%% CI</th><th>p90</th>"
                + "<th>p99</th><th>p99.9</th><th>max</th><th>mean</th></tr></thead><tbody>");
        for (var metric : Metric.values()) {
            Distribution values = result.of(metric);
            if (values.count() > 0) {
                line(
                        "<tr><td title=\"%s\">%s</td><td>%,d</td><td>%s</td><td>%s to %s</td><td>%s</td><td>%s</td>"
                                + "<td>%s</td><td>%s</td><td>%s</td></tr>",
                        escape(metric.definition()),
                        escape(metric.key() + " " + metric.unit().label()),
                        values.count(),
                        Numbers.of(values.percentile(50)),
                        Numbers.of(values.medianLow()),
                        Numbers.of(values.medianHigh()),
                        Numbers.tail(values, 90),
                        Numbers.tail(values, 99),
                        Numbers.tail(values, 99.9),
                        Numbers.of(values.max()),
                        Numbers.of(values.mean()));
            }
        }
        line("</tbody></table></div>");
    }

    private void definitions() {
        line("<h2>What the figures mean</h2>\n<dl class=\"definitions\">");
        Definitions.all().forEach((name, text) -> line("<dt>%s</dt><dd>%s</dd>", escape(name), escape(text)));
        line("</dl>");
    }

    private static String style() throws IOException {
        try (InputStream in = HtmlReport.class.getResourceAsStream("report.css")) {
            if (in == null) {
                throw new IOException("report.css is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private void line(String format, Object... arguments) {
        out.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
