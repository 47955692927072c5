package io.millrace.bench.stats;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.stats.Verdict.Grade;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Judges whether the client was fit. It compares the client's own lag with the measured times. */
final class Judge {
    private static final double BUSY = 0.80;
    private static final double SATURATED = 0.95;
    private static final double MACHINE_FULL = 0.95;
    private static final double GC_SHARE = 0.02;
    private static final double GC_SHARE_MOST = 0.10;
    private static final double GC_PAUSE_MS = 20;

    private final List<String> reasons = new ArrayList<>();
    private Grade grade = Grade.VALID;

    private Judge() {}

    static Verdict judge(Map<Metric, Distribution> distributions, Vitals vitals) {
        var judge = new Judge();
        double ttftMs = orZero(requireNonNull(distributions.get(Metric.TTFT)).percentile(50));
        double gapMs = orZero(requireNonNull(distributions.get(Metric.ITL)).percentile(50));
        judge.lag(requireNonNull(distributions.get(Metric.DISPATCH_LAG)), Metric.DISPATCH_LAG, 1, 0.02 * ttftMs, 10);
        judge.lag(requireNonNull(distributions.get(Metric.LOOP_LAG)), Metric.LOOP_LAG, 1, 0.05 * gapMs, 10);
        judge.lag(requireNonNull(distributions.get(Metric.PLACE_WAIT)), Metric.PLACE_WAIT, 1, 0.02 * ttftMs, 10);
        judge.loops(vitals);
        judge.collections(vitals);
        return new Verdict(judge.grade, judge.reasons);
    }

    /**
     * Grades a lag. It is suspect above the larger of a fixed and a relative bound, and invalid above a multiple of
     * that bound.
     */
    private void lag(Distribution lag, Metric metric, double fixedMs, double relativeMs, double factor) {
        double p99 = lag.percentile(99);
        double bound = Math.max(fixedMs, relativeMs);
        if (p99 > bound) {
            add(
                    p99 > factor * bound ? Grade.INVALID : Grade.SUSPECT,
                    "%s p99 %.1f ms (bound: %.1f ms%s)",
                    metric.title(),
                    p99,
                    bound,
                    metric == Metric.PLACE_WAIT ? "; more places: --connections" : "");
        }
    }

    private void loops(Vitals vitals) {
        if (vitals.busiestLoop() > BUSY) {
            add(
                    vitals.busiestLoop() > SATURATED ? Grade.INVALID : Grade.SUSPECT,
                    "an event loop used %.0f%% of a processor (bound: %.0f%%; more of them: --threads)",
                    100 * vitals.busiestLoop(),
                    100 * BUSY);
        }
        if (vitals.systemCpu() > MACHINE_FULL) {
            add(
                    Grade.SUSPECT,
                    "all processors of the machine were in use, %.0f%% of the time",
                    100 * vitals.systemCpu());
        }
    }

    private void collections(Vitals vitals) {
        double share = vitals.gcSeconds() / vitals.seconds();
        if (share > GC_SHARE) {
            add(share > GC_SHARE_MOST ? Grade.INVALID : Grade.SUSPECT, "%.1f%% of the time went to GC", 100 * share);
        }
        if (vitals.gcLongestMs() > GC_PAUSE_MS) {
            add(Grade.SUSPECT, "the longest GC pause took %.0f ms (bound: %.0f ms)", vitals.gcLongestMs(), GC_PAUSE_MS);
        }
    }

    private void add(Grade worse, String format, Object... arguments) {
        grade = worse.compareTo(grade) > 0 ? worse : grade;
        reasons.add(String.format(Locale.ROOT, format, arguments));
    }

    private static double orZero(double value) {
        return Double.isNaN(value) ? 0 : value;
    }
}
