package io.millrace.server.limit;

import io.millrace.server.config.ClientSettings.ClientLimits;
import io.millrace.server.limit.Gcra.Rate;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The limits of a client as rates; null if there is no limit. */
record Rates(
        ClientLimits limits,
        @Nullable Rate requests,
        @Nullable Rate requestsOfMinute,
        @Nullable Rate tokens) {
    static Rates of(ClientLimits limits) {
        return new Rates(
                limits,
                Rate.of(limits.requestsPerSecond(), TimeUnit.SECONDS, limits.burst()),
                Rate.of(limits.requestsPerMinute(), TimeUnit.MINUTES, limits.requestsPerMinute()),
                Rate.of((double) limits.tokensPerMinute(), TimeUnit.MINUTES, limits.tokensPerMinute()));
    }

    /** The rate of requests that is reported to clients. */
    @Nullable
    Rate toldOfRequests() {
        return requests != null ? requests : requestsOfMinute;
    }
}
