package io.millrace.server.limit;

import io.millrace.server.http.Refusal;
import io.millrace.server.limit.Budget.Period;
import io.millrace.server.limit.Gcra.Rate;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The share of one request in its client's limits. It has a place from the request's head on, and tokens from its
 * complete body on. {@link #end} gives the place back and settles the tokens. Confined to the request's event loop.
 */
public final class Permit {
    private static final int BYTES_PER_TOKEN = 4;
    private static final int MOST_INPUT = 32_000;
    private static final long SECOND_NS = TimeUnit.SECONDS.toNanos(1);

    private static final Refusal UNCOUNTED =
            Refusal.overloaded("The limits of this client cannot be counted now. Try again.");

    private final ClientUse use;
    private boolean held;
    private long input;
    private long reserved;
    private @Nullable Period day;
    private @Nullable Period month;

    /** Holds nothing yet. */
    public Permit(ClientUse use) {
        this.use = use;
    }

    /**
     * Takes a place, and counts the request.
     *
     * @return why it may not be served now, and then nothing is taken; null if it may
     */
    public @Nullable Refusal begin(long nowNs) {
        if (use.isUncounted()) {
            return UNCOUNTED;
        }
        Rates rates = use.rates();
        int its = use.inProgress().incrementAndGet();
        if (its > rates.limits().streams()) {
            use.inProgress().decrementAndGet();
            return Refusal.limited(
                    "requests",
                    "This client has " + rates.limits().streams() + " requests in progress, as many as it may have.",
                    SECOND_NS);
        }
        if (!use.places().take(its)) {
            use.inProgress().decrementAndGet();
            return Refusal.limited(
                    "requests", "The relay is nearly full, and this client has its share of it.", SECOND_NS);
        }
        held = true;
        long waitNs = takeRequest(rates, nowNs);
        if (waitNs > 0) {
            giveBackPlace();
            return Refusal.limited("requests", "This client has sent too many requests.", waitNs);
        }
        return null;
    }

    /**
     * Reserves the tokens that the request may use. One request never needs more than the whole bucket. So a small
     * limit slows a client down and does not block it.
     *
     * @param bodyBytes of the request
     * @param maxOutput the most tokens that the answer may have, as the request says; -1 if it does not
     * @param nowMs the time of day, in milliseconds since 1970
     * @return why it may not be served now, and then it does not count as a request; null if it may
     */
    public @Nullable Refusal reserve(long bodyBytes, long maxOutput, long nowNs, long nowMs) {
        Rates rates = use.rates();
        if (!rates.limits().ofTokens()) {
            return null;
        }
        input = Math.min(MOST_INPUT, bodyBytes / BYTES_PER_TOKEN + 1);
        Refusal refusal = checkBudgets(rates, nowMs);
        long wanted = input + (maxOutput >= 0 ? maxOutput : use.meanOutput());
        if (refusal == null && rates.tokens() != null) {
            wanted = Math.min(wanted, rates.tokens().units());
            long waitNs = use.tokens().take(rates.tokens(), wanted, nowNs);
            refusal = waitNs > 0 ? Refusal.limited("tokens", "This client has used too many tokens.", waitNs) : null;
        }
        if (refusal != null) {
            giveBackRequest(rates, nowNs);
            return refusal;
        }
        reserved = wanted;
        addToBudgets(reserved, nowNs);
        return null;
    }

    /** The estimate of the request's tokens; 0 if tokens are not counted. */
    public long input() {
        return input;
    }

    /**
     * Ends the request, whose upstream has been released. To be called once.
     *
     * @param usedInput input tokens that were used; 0 if none
     * @param usedOutput output tokens that were used; 0 if none
     */
    public void end(long usedInput, long usedOutput, long nowNs) {
        if (held) {
            giveBackPlace();
        }
        if (reserved == 0) {
            return;
        }
        if (usedOutput > 0) {
            use.onOutput(usedOutput);
        }
        long more = usedInput + usedOutput - reserved;
        Rate rate = use.rates().tokens();
        if (rate != null) {
            use.tokens().settle(rate, more, nowNs);
        }
        addToBudgets(more, nowNs);
        reserved = 0;
    }

    private void giveBackPlace() {
        held = false;
        use.places().giveBack(use.inProgress().decrementAndGet());
    }

    private long takeRequest(Rates rates, long nowNs) {
        Rate perSecond = rates.requests();
        Rate perMinute = rates.requestsOfMinute();
        long waitNs = perSecond == null ? 0 : use.requests().take(perSecond, 1, nowNs);
        if (waitNs > 0 || perMinute == null) {
            return waitNs;
        }
        waitNs = use.requestsOfMinute().take(perMinute, 1, nowNs);
        if (waitNs > 0 && perSecond != null) {
            use.requests().settle(perSecond, -1, nowNs);
        }
        return waitNs;
    }

    private void giveBackRequest(Rates rates, long nowNs) {
        if (rates.requests() != null) {
            use.requests().settle(rates.requests(), -1, nowNs);
        }
        if (rates.requestsOfMinute() != null) {
            use.requestsOfMinute().settle(rates.requestsOfMinute(), -1, nowNs);
        }
    }

    private @Nullable Refusal checkBudgets(Rates rates, long nowMs) {
        day = use.day().at(nowMs);
        month = use.month().at(nowMs);
        if (isSpent(day, rates.limits().tokensPerDay(), rates.nodes())) {
            return spent("day", day, nowMs);
        }
        return isSpent(month, rates.limits().tokensPerMonth(), rates.nodes()) ? spent("month", month, nowMs) : null;
    }

    /** While the store is down, the other nodes are taken to use as much as this one. */
    private static boolean isSpent(Period period, long most, int nodes) {
        return most > 0 && period.used() + (nodes - 1) * period.untold() >= most;
    }

    private static Refusal spent(String name, Period period, long nowMs) {
        return Refusal.spent(
                "This client has used all tokens that it may use in a " + name + ".",
                TimeUnit.MILLISECONDS.toNanos(period.endsInMs(nowMs)));
    }

    /** The budgets of the periods in which the request began. */
    private void addToBudgets(long tokens, long nowNs) {
        if (day != null && month != null) {
            day.add(tokens);
            month.add(tokens);
            use.onBudgetsChanged(nowNs);
        }
    }
}
