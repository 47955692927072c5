package io.millrace.bench.run;

import io.millrace.bench.stats.RunResult;
import io.millrace.bench.stats.Verdict;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.StreamPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Searches the highest rate at which enough streams keep the limits, by {@link RateSearch}. */
final class MaxSearch {
    private final List<RunResult> points = new ArrayList<>();
    private final double share;
    private double best;

    private MaxSearch(double share) {
        this.share = share;
    }

    /** Searches from the rate of {@code shape}, 1 if it has none. */
    static MaxSearch run(Session session, StreamPlan plan, LoadShape shape, double share) throws InterruptedException {
        var search = new MaxSearch(share);
        var rates = new RateSearch(shape.isOpen() ? shape.rate() : 1);
        while (!rates.isOver() && !session.isAborted()) {
            var asked = shape.with(next -> {
                next.rate = rates.rate();
                next.concurrency = shape.isOpen() ? shape.concurrency() : 0;
            });
            var result = session.run(plan.withShape(asked), asked.label());
            search.points.add(result);
            rates.tried(search.isGood(result));
        }
        search.best = rates.best();
        return search;
    }

    /** The highest rate that was good; 0 if none was. */
    double best() {
        return best;
    }

    /** The results of all rates that were tried, by rate. */
    List<RunResult> points() {
        return points.stream()
                .sorted(Comparator.comparingDouble(point -> point.shape().rate()))
                .toList();
    }

    /** A result of a client that was not fit is never good. */
    private boolean isGood(RunResult result) {
        return result.streams() > 0
                && result.good() >= share * result.streams()
                && result.verdict().grade() != Verdict.Grade.INVALID;
    }
}
