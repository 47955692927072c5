package io.millrace.server.limit;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.ClientSettings.ClientLimits;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What one client has used of its limits. It exists as long as the client's name, also when its limits and keys
 * change. Any thread may use it. It has no locks, except for a new day or month.
 */
public final class ClientUse {
    private static final int FIRST_GUESS = 256;
    private static final int MEAN_OVER = 8;

    private final Places places;
    private final AtomicInteger streams = new AtomicInteger();
    private final @Nullable SharedUse shared;
    private final Gcra requests;
    private final Gcra requestsOfMinute;
    private final Gcra tokens;
    private final Budget day = new Budget(false);
    private final Budget month = new Budget(true);
    private volatile Rates rates;
    /** The mean tokens of an answer. An update that is lost to a concurrent one does not matter. */
    private volatile long meanOutput = FIRST_GUESS;

    ClientUse(Places places, ClientLimits limits, long nowNs) {
        this(places, limits, nowNs, null);
    }

    /** The use of a client that others share, if {@code shared} is not null. */
    ClientUse(Places places, ClientLimits limits, long nowNs, @Nullable SharedUse shared) {
        this.places = places;
        this.shared = shared;
        rates = Rates.of(limits, 1);
        requests = new Gcra(nowNs, shared == null ? null : shared.requests());
        requestsOfMinute = new Gcra(nowNs, shared == null ? null : shared.requestsOfMinute());
        tokens = new Gcra(nowNs, shared == null ? null : shared.tokens());
    }

    /** The use of a sender that is not a client. */
    public static ClientUse ofNobody() {
        return new ClientUse(new Places(() -> 0), ClientLimits.DEFAULT, 0);
    }

    /** Changes the limits. What was used stays. */
    synchronized void limits(ClientLimits limits) {
        if (!rates.limits().equals(limits)) {
            rates = Rates.of(limits, rates.nodes());
        }
    }

    /** This node has an equal part of the limits from now on, as one of {@code nodes}; 1 is the whole. */
    synchronized void share(int nodes) {
        if (rates.nodes() != nodes) {
            rates = Rates.of(rates.limits(), nodes);
        }
    }

    /** The current limits. */
    Rates rates() {
        return rates;
    }

    /** Whether it has limits that cannot be shared now, and must be. */
    boolean isUncounted() {
        return shared != null && shared.isRefused() && rates.isShared();
    }

    /** Requests in progress. */
    public int streams() {
        return streams.get();
    }

    /** Whether tokens are counted. */
    public boolean countsTokens() {
        return rates.limits().ofTokens();
    }

    Places places() {
        return places;
    }

    AtomicInteger inProgress() {
        return streams;
    }

    Gcra requests() {
        return requests;
    }

    Gcra requestsOfMinute() {
        return requestsOfMinute;
    }

    Gcra tokens() {
        return tokens;
    }

    Budget day() {
        return day;
    }

    Budget month() {
        return month;
    }

    /** The bucket for {@link Rates#toldOfRequests}. */
    Gcra toldOfRequests() {
        return rates.requests() != null ? requests : requestsOfMinute;
    }

    /**
     * Adds what is left to an answer, in the form of its dialect. Replaces the provider's fields about the relay's
     * account.
     */
    public void tell(HttpHeaders headers, Dialect dialect, long nowNs) {
        RateHeaders.set(headers, dialect, this, nowNs);
    }

    /** The store answers again: this node has the whole of each limit. */
    void onStoreUp(long nowNs) {
        if (shared != null) {
            shared.onBack(this, nowNs);
            share(1);
        }
    }

    /** The tokens of a day or month have changed. */
    void onBudgetsChanged(long nowNs) {
        if (shared != null) {
            shared.changed(false, nowNs);
        }
    }

    /** The moving mean of the tokens in an answer. */
    long meanOutput() {
        return meanOutput;
    }

    /** Adds an answer with this many tokens to the mean. */
    void onOutput(long tokensOfAnswer) {
        long mean = meanOutput;
        meanOutput = mean + (tokensOfAnswer - mean) / MEAN_OVER;
    }

    /** Whether this could be dropped without losing any state. */
    boolean isIdle(long nowNs, long nowMs) {
        return streams.get() == 0
                && requests.untilFullNs(nowNs) == 0
                && requestsOfMinute.untilFullNs(nowNs) == 0
                && tokens.untilFullNs(nowNs) == 0
                && day.at(nowMs).used() == 0
                && month.at(nowMs).used() == 0;
    }
}
