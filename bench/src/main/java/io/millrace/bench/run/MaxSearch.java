package io.millrace.bench.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bench.run.RateSearch.Trial;
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
    private final RateSearch rates;

    MaxSearch(double share, double first) {
        this.share = share;
        rates = new RateSearch(first);
    }

    /** Runs the search. It begins at the rate of {@code shape}, or at 1 if there is none. */
    static MaxSearch run(Session session, StreamPlan plan, LoadShape shape, double share) throws InterruptedException {
        var search = new MaxSearch(share, shape.isOpen() ? shape.rate() : 1);
        var rates = search.rates;
        while (!rates.isOver() && !session.isAborted()) {
            var asked = shape.with(next -> {
                next.rate = rates.rate();
                next.concurrency = shape.isOpen() ? shape.concurrency() : 0;
            });
            var result = session.run(plan.withShape(asked), asked.label());
            search.points.add(result);
            if (!session.isAborted()) {
                search.tried(search.trial(result));
            }
        }
        return search;
    }

    /** Records the result of the current rate. */
    void tried(Trial trial) {
        rates.tried(trial);
    }

    /** Whether the search ended while the client was fit. */
    boolean isKnown() {
        return !rates.isUnfit();
    }

    /** The highest rate that was good; 0 if none was. */
    double best() {
        return rates.best();
    }

    /** The answer as text. {@code what} names the property of the streams. */
    String text(String what) {
        double best = rates.best();
        if (rates.isUnfit()) {
            String known = best == 0 ? "no rate is known at which " : "not known above " + best + "/s: at that rate ";
            return known + what + "; at " + rates.rate() + "/s this client was not fit to tell, twice";
        }
        if (best == 0) {
            return "no rate at which " + what;
        }
        String bad =
                Double.isInfinite(rates.bad()) ? "none that was tried was too high" : rates.bad() + "/s was too high";
        return "highest rate at which " + what + ": " + best + "/s (" + bad + ")";
    }

    /** Puts the answer into the report. */
    void put(ObjectNode json) {
        json.put("max_rate", rates.best()).put("max_rate_known", isKnown());
        var interval = json.putArray("max_rate_interval").add(rates.best());
        if (Double.isInfinite(rates.bad())) {
            interval.addNull();
        } else {
            interval.add(rates.bad());
        }
    }

    /** The results of all rates that were tried, ordered by rate. */
    List<RunResult> points() {
        return points.stream()
                .sorted(Comparator.comparingDouble(point -> point.shape().rate()))
                .toList();
    }

    /** The result of a trial. If the client was not fit, the run says nothing about the target. */
    private Trial trial(RunResult result) {
        if (result.verdict().grade() == Verdict.Grade.INVALID) {
            return Trial.UNFIT;
        }
        return result.streams() > 0 && result.good() >= share * result.streams() ? Trial.GOOD : Trial.BAD;
    }
}
