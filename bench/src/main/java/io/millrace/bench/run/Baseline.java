package io.millrace.bench.run;

import io.millrace.bench.report.Difference;
import io.millrace.bench.stats.RunResult;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.StreamPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Measures two targets in turns, by pairs of short runs of one load. Each pair begins with the other target. */
final class Baseline {
    private static final long SHORT_WARMUP_NS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final int MOST_PAIRS = 100;

    private final List<RunResult> baseline = new ArrayList<>();
    private final List<RunResult> target = new ArrayList<>();

    /** The user ended the run before a pair was finished. */
    static final class NothingMeasured extends RuntimeException {
        private static final long serialVersionUID = 1;

        NothingMeasured(String message) {
            super(message);
        }
    }

    /** Runs all pairs. A pair that the user aborts does not count. */
    static Baseline measure(Session session, StreamPlan baselinePlan, StreamPlan targetPlan, LoadShape shape, int pairs)
            throws InterruptedException {
        if (pairs < 2 || pairs > MOST_PAIRS) {
            throw new IllegalArgumentException("--pairs: " + pairs + " (expected: 2-" + MOST_PAIRS + ")");
        }
        var all = new Baseline();
        for (int pair = 0; pair < pairs && !session.isAborted(); pair++) {
            var part = part(shape, pair, pairs);
            RunResult[] both = new RunResult[2];
            for (int turn = 0; turn < 2; turn++) {
                boolean isTarget = (turn == 1) == (pair % 2 == 0);
                var plan = (isTarget ? targetPlan : baselinePlan).withShape(part);
                String name = (isTarget ? "target " : "baseline ") + (pair + 1) + "/" + pairs;
                both[isTarget ? 1 : 0] = session.run(plan, name);
            }
            if (!session.isAborted()) {
                all.baseline.add(both[0]);
                all.target.add(both[1]);
            }
        }
        if (all.baseline.isEmpty()) {
            throw new NothingMeasured("stopped before a pair was finished; nothing was measured");
        }
        return all;
    }

    /** The load of one run of a pair. Only the first pair has the whole warm-up. */
    private static LoadShape part(LoadShape shape, int pair, int pairs) {
        boolean timed = shape.durationNs() != Long.MAX_VALUE;
        boolean counted = shape.requests() != Long.MAX_VALUE;
        return shape.with(part -> {
            part.rampNs = pair == 0 ? shape.rampNs() : 0;
            part.warmupNs = pair == 0 ? shape.warmupNs() : Math.min(shape.warmupNs(), SHORT_WARMUP_NS);
            part.durationNs = timed ? Math.max(1, shape.durationNs() / pairs) : shape.durationNs();
            part.requests = counted ? Math.max(1, shape.requests() / pairs) : shape.requests();
        });
    }

    /** The difference between the target and the baseline. */
    Difference difference() {
        return new Difference(baseline, target);
    }

    /** All runs of the baseline as one result. */
    RunResult ofBaseline() {
        return RunResult.merged(baseline);
    }

    /** All runs of the target as one result. */
    RunResult ofTarget() {
        return RunResult.merged(target);
    }
}
