package io.millrace.server.balance;

import io.millrace.server.config.Upstream;
import java.util.List;

/** What is known of one upstream, beside its configuration: its origins and its budget. Shared by all event loops. */
public final class UpstreamState {
    private final List<OriginState> origins;
    private final TokenBudget retries;
    private final TtftPercentile ttft = new TtftPercentile();
    private final int maxConcurrent;

    /** Nothing is known yet. */
    public UpstreamState(Upstream upstream) {
        origins = upstream.urls().stream()
                .map(url -> new OriginState(url.toString(), upstream.health(), ttft))
                .toList();
        retries = new TokenBudget(upstream.retryBudget());
        maxConcurrent = upstream.maxConcurrent();
    }

    /** Its origins, in the order of its URLs. */
    public List<OriginState> origins() {
        return origins;
    }

    /** What its retries may cost. */
    public TokenBudget retries() {
        return retries;
    }

    /** The 95th percentile of its times to first token; see {@link TtftPercentile#p95Ns}. */
    public long p95TtftNs() {
        return ttft.p95Ns();
    }

    /** Whether it takes another request: an origin serves, and it is not over its own limit. */
    public boolean admits(long nowNs) {
        return !isFull() && Balancer.anyAdmits(origins, nowNs);
    }

    /** Whether it has as many requests in hand as it may. */
    public boolean isFull() {
        if (maxConcurrent == 0) {
            return false;
        }
        int inFlight = 0;
        for (int i = 0; i < origins.size(); i++) {
            inFlight += origins.get(i).inFlight();
        }
        return inFlight >= maxConcurrent;
    }
}
