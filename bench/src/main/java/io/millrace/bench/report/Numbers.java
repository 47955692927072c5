package io.millrace.bench.report;

import io.millrace.bench.stats.Distribution;
import io.millrace.bench.stats.Metric;
import io.millrace.bench.stats.Quantity;
import io.millrace.bench.stats.RunResult;
import io.millrace.bench.stats.Verdict;
import java.util.Locale;

/** Formats numbers for people. */
final class Numbers {
    private Numbers() {}

    /** Three or four significant digits; a dash if there is no value. */
    static String of(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        double size = Math.abs(value);
        int decimals = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
        return fixed(value, decimals);
    }

    /**
     * A percentile. It is a dash if less than one value lies above it, because then it would only be the largest value.
     */
    static String tail(Distribution values, double percent) {
        return of(values.told(percent));
    }

    static String fixed(double value, int decimals) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    /** What a verdict on the client means for the figures. */
    static String meaning(Verdict.Grade grade) {
        return switch (grade) {
            case VALID -> "";
            case SUSPECT -> "Percentiles near the top may be this client's own.";
            case INVALID -> "The times are this client's as much as the target's.";
        };
    }

    /** What is wrong with the throughput of a run that is short beside its streams. */
    static String unsteady(RunResult result) {
        double streamSeconds = result.of(Metric.E2E).percentile(50) / 1e3;
        return String.format(
                Locale.ROOT,
                "not steady: a stream takes %s s, so the beginning and the end of this time weigh much"
                        + " (better: --warmup %.0fs --duration %.0fs)",
                of(streamSeconds),
                Math.ceil(streamSeconds),
                Math.ceil(5 * streamSeconds));
    }

    /** When the user ended the run. */
    static String stopped(RunResult result) {
        long plannedNs = result.shape().durationNs();
        return String.format(
                Locale.ROOT,
                "stopped by the user after %s s%s of the measured part; %,d streams were cut",
                of(result.throughput().seconds()),
                plannedNs == Long.MAX_VALUE ? "" : " of " + Quantity.text(plannedNs),
                result.interrupted());
    }

    static String percent(double share) {
        return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }
}
