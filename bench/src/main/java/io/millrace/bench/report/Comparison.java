package io.millrace.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Compares two files of {@link JsonReport}. */
public final class Comparison {
    private static final String[] METRICS = {"ttft", "ttft_sent", "itl", "tpot", "e2e", "transit"};
    private static final String[] STATISTICS = {"p50", "p90", "p99", "p99.9", "mean"};
    private static final String ROW = "%-20s %12s %12s %12s %9s  %s%n";

    private Comparison() {}

    /**
     * The table.
     *
     * @throws IllegalArgumentException if one of the files is not such a report
     */
    public static String of(Path a, Path b) throws IOException {
        var one = read(a);
        var two = read(b);
        var out = new StringBuilder();
        describe(out, "A", a, one);
        describe(out, "B", b, two);
        out.append(String.format(Locale.ROOT, "%n" + ROW, "", "A", "B", "B - A", "", ""));
        for (String metric : METRICS) {
            for (String statistic : STATISTICS) {
                row(out, metric, statistic, one, two);
            }
        }
        for (String figure : new String[] {"request_throughput", "output_throughput", "completed", "failed"}) {
            difference(
                    out, figure, one.path(figure).asDouble(), two.path(figure).asDouble(), "");
        }
        return out.toString();
    }

    private static JsonNode read(Path file) throws IOException {
        var report = new ObjectMapper().readTree(Files.readAllBytes(file));
        if (!report.path("points").path(0).path("metrics").isObject()) {
            throw new IllegalArgumentException(file + ": (expected: a file that millrace bench --json wrote)");
        }
        return report;
    }

    private static void describe(StringBuilder out, String name, Path file, JsonNode report) {
        out.append(String.format(
                Locale.ROOT,
                "%s  %s: %s, model %s, %s, %s, client %s%n",
                name,
                file.getFileName(),
                report.path("base_url").asText(),
                report.path("model_id").asText(),
                report.path("load").asText(),
                report.path("date").asText(),
                report.at("/client/verdict").asText()));
    }

    private static JsonNode last(JsonNode report) {
        return report.path("points").path(report.path("points").size() - 1).path("metrics");
    }

    private static void row(StringBuilder out, String metric, String statistic, JsonNode one, JsonNode two) {
        var a = last(one).path(metric);
        var b = last(two).path(metric);
        if (!a.path(statistic).isNumber() || !b.path(statistic).isNumber()) {
            return;
        }
        String note = "";
        if (statistic.equals("p50")) {
            boolean overlap = a.at("/p50_ci95/0").asDouble()
                            <= b.at("/p50_ci95/1").asDouble()
                    && b.at("/p50_ci95/0").asDouble() <= a.at("/p50_ci95/1").asDouble();
            note = overlap ? "intervals overlap" : "intervals apart";
        }
        String unit = a.path("unit").asText();
        difference(
                out,
                metric + " " + statistic + (unit.isEmpty() ? "" : " " + unit),
                a.path(statistic).doubleValue(),
                b.path(statistic).doubleValue(),
                note);
    }

    private static void difference(StringBuilder out, String name, double a, double b, String note) {
        out.append(String.format(
                        Locale.ROOT,
                        ROW,
                        name,
                        Numbers.of(a),
                        Numbers.of(b),
                        (b > a ? "+" : "") + Numbers.of(b - a),
                        a == 0 ? "" : String.format(Locale.ROOT, "%+.1f%%", 100 * (b - a) / a),
                        note)
                .replaceAll(" +\n", "\n"));
    }
}
