package io.millrace.server.limit;

import io.millrace.server.limit.Budget.Period;
import io.millrace.server.limit.Gcra.Rate;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The part of one client's use that the store does not know. Any thread notes that there is something new. The store's
 * event loop asks what it is.
 */
final class SharedUse {
    /** A budget stays in the store until the clocks of all nodes agree that its period is over. */
    private static final long CLOCKS_MS = TimeUnit.HOURS.toMillis(1);

    private final String name;
    private final SharedLimits limits;
    private final Tally requests = new Tally(this);
    private final Tally requestsOfMinute = new Tally(this);
    private final Tally tokens = new Tally(this);
    private final AtomicBoolean queued = new AtomicBoolean();
    private volatile long sinceNs;

    SharedUse(String name, SharedLimits limits) {
        this.name = name;
        this.limits = limits;
    }

    /** Whether nothing can be granted, because the store is down. */
    boolean isRefused() {
        return limits.isRefusing() && !limits.isUp();
    }

    String name() {
        return name;
    }

    Tally requests() {
        return requests;
    }

    Tally requestsOfMinute() {
        return requestsOfMinute;
    }

    Tally tokens() {
        return tokens;
    }

    /**
     * There is something to tell.
     *
     * @param early whether at once
     */
    void changed(boolean early, long nowNs) {
        if (!queued.get() && queued.compareAndSet(false, true)) {
            sinceNs = nowNs;
            limits.queue(this);
        }
        if (early) {
            limits.hurry();
        }
    }

    /** Adds what is to be told of each limit that {@code use} has. It counts as told from now on. */
    void tell(ClientUse use, List<SharedChange> changes, long nowNs, long nowMs) {
        queued.set(false);
        long ageNs = Math.max(0, nowNs - sinceNs);
        Rates rates = use.rates();
        tell("requests:", use.requests(), requests, rates.requests(), changes, nowNs, ageNs);
        tell("minute:", use.requestsOfMinute(), requestsOfMinute, rates.requestsOfMinute(), changes, nowNs, ageNs);
        tell("tokens:", use.tokens(), tokens, rates.tokens(), changes, nowNs, ageNs);
        if (rates.limits().tokensPerDay() > 0) {
            changes.add(change("day:", use.day().at(nowMs), nowMs));
        }
        if (rates.limits().tokensPerMonth() > 0) {
            changes.add(change("month:", use.month().at(nowMs), nowMs));
        }
    }

    private void tell(
            String limit,
            Gcra bucket,
            Tally tally,
            @Nullable Rate rate,
            List<SharedChange> changes,
            long nowNs,
            long ageNs) {
        if (rate == null) {
            return;
        }
        long units = tally.untold();
        long fullAtNs = bucket.fullAtNs();
        tally.told(units);
        long deltaNs = rate.ns(units);
        long floorNs = fullAtNs - nowNs - deltaNs;
        changes.add(new SharedChange(
                limit + name, SharedChange.Kind.BUCKET, deltaNs, floorNs, ageNs, new SharedChange.Answer() {
                    @Override
                    public void total(long leftNs, long atNs) {
                        bucket.move(fullAtNs, nowNs, atNs + leftNs);
                    }

                    @Override
                    public void refused() {
                        tally.told(-units);
                    }
                }));
    }

    private SharedChange change(String limit, Period period, long nowMs) {
        long known = period.told();
        long tokens = period.untold();
        period.told(tokens);
        long lifeMs = period.endsInMs(nowMs) + CLOCKS_MS;
        return new SharedChange(
                limit + period.begin() + ":" + name,
                SharedChange.Kind.BUDGET,
                tokens,
                known,
                lifeMs,
                new SharedChange.Answer() {
                    @Override
                    public void total(long total, long atNs) {
                        period.learn(total - known - tokens);
                    }

                    @Override
                    public void refused() {
                        period.told(-tokens);
                    }
                });
    }

    /**
     * The store is back after this node had its own share of each limit. Of what was taken meanwhile, only what has not
     * refilled is to be told.
     */
    void onBack(ClientUse use, long nowNs) {
        Rates rates = use.rates();
        keepMissing(use.requests(), requests, rates.requests(), nowNs);
        keepMissing(use.requestsOfMinute(), requestsOfMinute, rates.requestsOfMinute(), nowNs);
        keepMissing(use.tokens(), tokens, rates.tokens(), nowNs);
        if (queued.compareAndSet(false, true)) {
            limits.queue(this);
        }
        sinceNs = nowNs;
    }

    private static void keepMissing(Gcra bucket, Tally tally, @Nullable Rate rate, long nowNs) {
        long missing = rate == null ? 0 : (long) Math.ceil(bucket.untilFullNs(nowNs) / rate.unitNs());
        long untold = tally.untold();
        if (untold > missing) {
            tally.told(untold - missing);
        }
    }
}
