package io.millrace.bench.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bench.stats.Estimate;
import io.millrace.bench.stats.Metric;
import io.millrace.bench.stats.RunResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The difference between a target and a baseline, measured by pairs of short runs. For each pair it subtracts the
 * baseline's figure from the target's. The result is the mean over all pairs with its confidence interval. A change of
 * the machine's load affects both runs of a pair.
 */
public final class Difference {
    private static final Metric[] METRICS = {
        Metric.TTFT_SENT, Metric.FIRST_BYTE, Metric.ITL, Metric.TPOT, Metric.E2E, Metric.TRANSIT
    };
    private static final double[] PERCENTS = {50, 90, 99};

    private final List<RunResult> baseline;
    private final List<RunResult> target;

    /** @param baseline the results of the baseline; those of {@code target} have the same order of pairs */
    public Difference(List<RunResult> baseline, List<RunResult> target) {
        this.baseline = List.copyOf(baseline);
        this.target = List.copyOf(target);
    }

    /** The difference of a percentile. */
    public Estimate of(Metric metric, double percent) {
        var values = new ArrayList<Double>();
        for (int i = 0; i < baseline.size(); i++) {
            values.add(target.get(i).of(metric).told(percent)
                    - baseline.get(i).of(metric).told(percent));
        }
        return Estimate.of(values);
    }

    /** As the answer of a run: the table, and on a page also the times of both ways. */
    public Answer answer(String baselineUrl, String url) {
        return new Answer(text(baselineUrl, url), html(baselineUrl, url), Double.NaN);
    }

    private String html(String baselineUrl, String url) {
        var out = new StringBuilder("<h2>What is added</h2>\n<p>Added by ")
                .append(Plot.escape(url))
                .append(" over ")
                .append(Plot.escape(baselineUrl))
                .append(", in ms. Each figure is the mean of ")
                .append(baseline.size())
                .append(" pairs of runs in turn, with its 95% confidence interval. A star marks an interval that does"
                        + " not contain zero.</p>\n<div class=\"scroll\"><table><thead><tr><th></th>");
        for (double percent : PERCENTS) {
            out.append("<th>p").append((int) percent).append("</th>");
        }
        out.append("</tr></thead><tbody>\n");
        for (var metric : METRICS) {
            if (of(metric, 50).count() > 0) {
                out.append("<tr><td>").append(metric.key()).append("</td>");
                for (double percent : PERCENTS) {
                    out.append("<td>").append(text(of(metric, percent)).strip()).append("</td>");
                }
                out.append("</tr>\n");
            }
        }
        out.append("</tbody></table></div>\n");
        var base = RunResult.merged(baseline);
        var mine = RunResult.merged(target);
        var metric = mine.of(Metric.TRANSIT).count() > 0 ? Metric.TRANSIT : Metric.TTFT_SENT;
        if (base.of(metric).count() > 0 && mine.of(metric).count() > 0) {
            out.append("<figure><figcaption>Share of all within a time: ")
                    .append(Plot.escape(metric.title()))
                    .append(" <span class=\"key a\">target</span> <span class=\"key w\">baseline</span></figcaption>\n")
                    .append(Plots.shares(metric, mine.of(metric), base.of(metric)))
                    .append("</figure>\n");
        }
        return out.toString();
    }

    /** The table. */
    String text(String baselineUrl, String url) {
        var out = new StringBuilder();
        out.append(String.format(
                Locale.ROOT,
                "%nadded by %s%n     over %s, ms, mean of %d pairs of runs in turn [95%% CI]%n",
                url,
                baselineUrl,
                baseline.size()));
        out.append(String.format(Locale.ROOT, "%-12s", ""));
        for (double percent : PERCENTS) {
            out.append(String.format(Locale.ROOT, " %28s", "p" + (int) percent));
        }
        out.append('\n');
        for (var metric : METRICS) {
            if (of(metric, 50).count() > 0) {
                out.append(String.format(Locale.ROOT, "%-12s", metric.key()));
                for (double percent : PERCENTS) {
                    out.append(String.format(Locale.ROOT, " %28s", text(of(metric, percent))));
                }
                out.append('\n');
            }
        }
        return out.append("* leaves zero out\n").toString();
    }

    /** Adds the values to {@code node}. */
    public void put(ObjectNode node) {
        node.put("pairs", baseline.size());
        for (var metric : METRICS) {
            if (of(metric, 50).count() == 0) {
                continue;
            }
            var figures = node.putObject(metric.key());
            for (double percent : PERCENTS) {
                var estimate = of(metric, percent);
                var figure = figures.putObject("p" + (int) percent);
                figure.put("mean", estimate.mean());
                if (estimate.count() > 1) {
                    figure.putArray("ci95").add(estimate.low()).add(estimate.high());
                }
            }
        }
    }

    private static String text(Estimate estimate) {
        String sure = estimate.isSure() ? " *" : "  ";
        return estimate.count() < 2
                ? signed(estimate.mean()) + "  "
                : signed(estimate.mean()) + " [" + signed(estimate.low()) + ", " + signed(estimate.high()) + "]" + sure;
    }

    private static String signed(double value) {
        return (value > 0 ? "+" : "") + Numbers.of(value);
    }
}
