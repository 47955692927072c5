package io.millrace.bench.stats;

import io.millrace.server.config.file.Suggestion;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A condition on a result, such as {@code ttft.p99>800ms}, {@code errors>1%} or {@code request_throughput<10}. Times
 * have a unit; the statistics of a metric are {@code mean}, {@code min}, {@code max}, {@code count} and {@code pN}.
 *
 * @param text as it was given
 */
public record Limit(String text, String subject, boolean over, double bound) {
    private static final Pattern FORM = Pattern.compile("([a-z0-9_]+(?:\\.[a-z0-9.]+)?)\\s*([<>])=?\\s*(.+)");
    private static final List<String> COUNTS = List.of(
            "errors",
            "failed",
            "completed",
            "stalls",
            "coalescing",
            "request_throughput",
            "output_throughput",
            "goodput");
    private static final Pattern STATISTIC = Pattern.compile("mean|min|max|count|p[0-9]+(?:\\.[0-9]+)?");

    /**
     * Parses a condition.
     *
     * @throws IllegalArgumentException with the expected form
     */
    public static Limit parse(String text) {
        var match = FORM.matcher(text.strip());
        if (!match.matches()) {
            throw new IllegalArgumentException(
                    "--fail-if: " + text + " (expected: METRIC.STATISTIC>VALUE, such as ttft.p99>800ms)");
        }
        String subject = match.group(1);
        double bound = bound(text, subject, match.group(3).strip());
        return new Limit(text.strip(), subject, match.group(2).equals(">"), bound);
    }

    /** Whether the condition holds. It is false if there is no value; without streams, the error rate is 0. */
    public boolean holds(RunResult result) {
        double value = value(result);
        return over ? value > bound : value < bound;
    }

    /** Whether there are enough values for it: a percentile needs one value above it. */
    public boolean isTold(RunResult result) {
        int dot = subject.indexOf('.');
        return dot < 0
                || subject.charAt(dot + 1) != 'p'
                || result.of(metric(subject.substring(0, dot))).count() == 0
                || !Double.isNaN(value(result));
    }

    /** The value of the subject, in its metric's unit. */
    public double value(RunResult result) {
        return switch (subject) {
            case "errors" -> result.errorRate();
            case "failed" -> result.failed();
            case "completed" -> result.completed();
            case "stalls" -> result.stalls();
            case "coalescing" -> result.coalescing();
            case "request_throughput" -> result.throughput().requestsPerSecond();
            case "output_throughput" -> result.throughput().tokensPerSecond();
            case "goodput" -> result.throughput().goodPerSecond();
            default -> {
                var metric = metric(subject.substring(0, subject.indexOf('.')));
                yield statistic(result.of(metric), subject.substring(subject.indexOf('.') + 1));
            }
        };
    }

    private static double statistic(Distribution of, String name) {
        return switch (name) {
            case "mean" -> of.mean();
            case "min" -> of.min();
            case "max" -> of.max();
            case "count" -> of.count();
            default -> of.told(Double.parseDouble(name.substring(1)));
        };
    }

    private static double bound(String text, String subject, String value) {
        try {
            if (subject.equals("errors") && value.endsWith("%")) {
                return Double.parseDouble(value.substring(0, value.length() - 1)) / 100;
            }
            int dot = subject.indexOf('.');
            if (dot < 0) {
                if (!COUNTS.contains(subject)) {
                    throw new IllegalArgumentException(subject + " is no count" + Suggestion.forWord(subject, COUNTS));
                }
                return Double.parseDouble(value);
            }
            var metric = metric(subject.substring(0, dot));
            String statistic = subject.substring(dot + 1);
            if (!STATISTIC.matcher(statistic).matches()) {
                throw new IllegalArgumentException(
                        statistic + " is no statistic (expected: mean, min, max, count or a percentile such as p99)");
            }
            boolean time = metric.unit() == Metric.Unit.MS && !statistic.equals("count");
            return time ? Quantity.nanos(value) / metric.unit().scale() : Double.parseDouble(value);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "--fail-if: " + text + ": " + e.getMessage()
                            + " (expected: METRIC.STATISTIC>VALUE such as ttft.p99>800ms, or errors>1%; docs/metrics.md has all)",
                    e);
        }
    }

    private static Metric metric(String key) {
        return Arrays.stream(Metric.values())
                .filter(metric -> metric.key().equals(key))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(key + " is no metric"
                        + Suggestion.forWord(
                                key,
                                Arrays.stream(Metric.values()).map(Metric::key).toList())));
    }
}
