package io.millrace.server.limit;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.ClientLimits;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What one client has used of its limits. It lives as long as the client's name does, also over changes of its limits and
 * keys. Any thread may use it; it has no locks, but for a new day or month.
 */
public final class ClientUse {
    private static final int FIRST_GUESS = 256;
    private static final int MEAN_OVER = 8;

    private final Places places;
    private final AtomicInteger streams = new AtomicInteger();
    private final Gcra requests;
    private final Gcra requestsOfMinute;
    private final Gcra tokens;
    private final Budget day = new Budget(false);
    private final Budget month = new Budget(true);
    private volatile Rates rates;
    /** Of an answer, in tokens. An update that is lost to another at the same time does not matter. */
    private volatile long meanOutput = FIRST_GUESS;

    ClientUse(Places places, ClientLimits limits, long nowNs) {
        this.places = places;
        rates = Rates.of(limits);
        requests = new Gcra(nowNs);
        requestsOfMinute = new Gcra(nowNs);
        tokens = new Gcra(nowNs);
    }

    /** That of a client which nobody is. */
    public static ClientUse ofNobody() {
        return new ClientUse(new Places(() -> 0), ClientLimits.DEFAULT, 0);
    }

    /** Takes other limits; what was used stays. */
    void limits(ClientLimits limits) {
        if (!rates.limits().equals(limits)) {
            rates = Rates.of(limits);
        }
    }

    /** What holds at the moment. */
    Rates rates() {
        return rates;
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

    /** The bucket that {@link Rates#toldOfRequests} is about. */
    Gcra toldOfRequests() {
        return rates.requests() != null ? requests : requestsOfMinute;
    }

    /** Has an answer say what is left, in the form of its dialect, in place of what a provider says of the relay. */
    public void tell(HttpHeaders headers, Dialect dialect, long nowNs) {
        RateHeaders.set(headers, dialect, this, nowNs);
    }

    /** The moving mean of the tokens in an answer. */
    long meanOutput() {
        return meanOutput;
    }

    /** An answer had so many tokens. */
    void onOutput(long tokensOfAnswer) {
        long mean = meanOutput;
        meanOutput = mean + (tokensOfAnswer - mean) / MEAN_OVER;
    }

    /** Whether nothing would be forgotten if this were. */
    boolean isIdle(long nowNs, long nowMs) {
        return streams.get() == 0
                && requests.untilFullNs(nowNs) == 0
                && requestsOfMinute.untilFullNs(nowNs) == 0
                && tokens.untilFullNs(nowNs) == 0
                && day.at(nowMs).used() == 0
                && month.at(nowMs).used() == 0;
    }
}
