package io.millrace.server.limit;

import io.millrace.server.config.ClientSettings.ClientLimits;
import io.millrace.server.limit.Gcra.Rate;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The limits of a client as rates; null if there is no limit.
 *
 * @param nodes of which this one has its equal part of each limit; 1 if it has the whole
 */
record Rates(
        ClientLimits limits,
        int nodes,
        @Nullable Rate requests,
        @Nullable Rate requestsOfMinute,
        @Nullable Rate tokens) {
    static Rates of(ClientLimits limits, int nodes) {
        return new Rates(
                limits,
                nodes,
                share(Rate.of(limits.requestsPerSecond(), TimeUnit.SECONDS, limits.burst()), nodes),
                share(Rate.of(limits.requestsPerMinute(), TimeUnit.MINUTES, limits.requestsPerMinute()), nodes),
                share(Rate.of((double) limits.tokensPerMinute(), TimeUnit.MINUTES, limits.tokensPerMinute()), nodes));
    }

    private static @Nullable Rate share(@Nullable Rate rate, int nodes) {
        return rate == null ? null : rate.share(nodes);
    }

    /** Whether there is a limit that nodes share. */
    boolean isShared() {
        return requests != null || requestsOfMinute != null || limits.ofTokens();
    }

    /** The rate of requests that is reported to clients. */
    @Nullable
    Rate toldOfRequests() {
        return requests != null ? requests : requestsOfMinute;
    }
}
