package io.millrace.bench.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Compares two files of {@link JsonReport}: each load that both have, or the only load of each. A file may also be of
 * another benchmark.
 */
public final class Comparison {
    private static final String[] METRICS = {"ttft", "ttft_sent", "itl", "tpot", "e2e", "transit"};
    private static final String[] STATISTICS = {"p50", "p90", "p99", "p99.9", "mean"};
    private static final String[] FIGURES = {
        "/throughput/offered_per_s",
        "/throughput/completed_per_s",
        "/throughput/tokens_per_s",
        "/completed",
        "/failed",
        "/interrupted_streams"
    };
    private static final String ROW = "%-20s %12s %12s %12s %9s  %s%n";

    private final StringBuilder out = new StringBuilder();
    private final JsonNode one;
    private final JsonNode two;

    private Comparison(JsonNode one, JsonNode two) {
        this.one = one;
        this.two = two;
    }

    /**
     * The table.
     *
     * @throws IllegalArgumentException if one of the files is not such a report, or if they have no load in common
     */
    public static String of(Path a, Path b) throws IOException {
        JsonNode one = read(a);
        JsonNode two = read(b);
        if (!Export.isOurs(one) || !Export.isOurs(two)) {
            return ExportComparison.of(a, Export.of(a.toString(), one), b, Export.of(b.toString(), two));
        }
        var comparison = new Comparison(one, two);
        comparison.describe("A", a, comparison.one);
        comparison.describe("B", b, comparison.two);
        comparison.points();
        return comparison.out.toString();
    }

    private static JsonNode read(Path file) throws IOException {
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    file + ": is no JSON (expected: a file that millrace bench --json wrote)", e);
        }
    }

    private void describe(String name, Path file, JsonNode report) {
        out.append(String.format(
                Locale.ROOT,
                "%s  %s: %s, model %s, %s, %s%n",
                name,
                file.getFileName(),
                report.path("base_url").asText(),
                report.path("model_id").asText(),
                report.path("load").asText(),
                report.path("date").asText()));
    }

    private void points() {
        if (isOpen(one) != isOpen(two)) {
            throw new IllegalArgumentException("--compare: " + kind(one) + " and " + kind(two)
                    + " (expected: two of a kind; a closed loop asks less of a slow target)");
        }
        var first = byLabel(one);
        var second = byLabel(two);
        if (first.size() == 1 && second.size() == 1) {
            var a = first.values().iterator().next();
            var b = second.values().iterator().next();
            if (!label(a).equals(label(b))) {
                out.append("NOTE: other loads, ")
                        .append(label(a))
                        .append(" and ")
                        .append(label(b))
                        .append('\n');
            }
            point(a, b);
            return;
        }
        first.keySet().retainAll(second.keySet());
        if (first.isEmpty()) {
            throw new IllegalArgumentException(
                    "--compare: sweeps without a common load: " + byLabel(one).keySet() + " and " + second.keySet());
        }
        first.forEach((label, a) -> {
            out.append("\n== ").append(label).append('\n');
            point(a, second.getOrDefault(label, a));
        });
    }

    private static boolean isOpen(JsonNode report) {
        return report.path("points").path(0).has("rate");
    }

    private static String kind(JsonNode report) {
        return isOpen(report) ? "an open loop" : "a closed loop";
    }

    private static String label(JsonNode point) {
        return point.path("label").asText();
    }

    private static Map<String, JsonNode> byLabel(JsonNode report) {
        var points = new LinkedHashMap<String, JsonNode>();
        report.path("points").forEach(point -> points.put(label(point), point));
        return points;
    }

    private void point(JsonNode a, JsonNode b) {
        warn("A", a);
        warn("B", b);
        out.append(String.format(Locale.ROOT, "%n" + ROW, "", "A", "B", "B - A", "", ""));
        for (String metric : METRICS) {
            for (String statistic : STATISTICS) {
                row(
                        metric,
                        statistic,
                        a.path("metrics").path(metric),
                        b.path("metrics").path(metric));
            }
        }
        for (String figure : FIGURES) {
            difference(
                    figure.substring(figure.lastIndexOf('/') + 1),
                    a.at(figure).asDouble(),
                    b.at(figure).asDouble(),
                    "");
        }
    }

    private void warn(String name, JsonNode point) {
        String verdict = point.at("/client/verdict").asText();
        if (!verdict.equals("VALID")) {
            out.append(name).append(": the client was ").append(verdict).append('\n');
        }
        if (!point.at("/throughput/steady").asBoolean(true)) {
            out.append(name).append(": the run was too short for a steady throughput\n");
        }
        if (point.path("interrupted").asBoolean()) {
            out.append(name).append(": the user stopped the run\n");
        }
    }

    private void row(String metric, String statistic, JsonNode a, JsonNode b) {
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
                metric + " " + statistic + (unit.isEmpty() ? "" : " " + unit),
                a.path(statistic).doubleValue(),
                b.path(statistic).doubleValue(),
                note);
    }

    private void difference(String name, double a, double b, String note) {
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
