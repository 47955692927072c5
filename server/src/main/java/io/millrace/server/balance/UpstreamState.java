package io.millrace.server.balance;

import io.millrace.server.config.Upstream;
import java.util.List;

/** The state of one upstream: its origins and its budget of retries. All event loops share it. */
public final class UpstreamState {
    private final List<OriginState> origins;
    private final List<AttemptCounts> attempts;
    private final TokenBudget retries;
    private final TtftPercentile ttft = new TtftPercentile();
    private final int maxConcurrent;

    /** The state of an upstream without a history. */
    public UpstreamState(Upstream upstream) {
        origins = upstream.urls().stream()
                .map(url -> new OriginState(url.toString(), upstream.health(), ttft))
                .toList();
        attempts = origins.stream().map(origin -> new AttemptCounts()).toList();
        retries = new TokenBudget(upstream.retryBudget());
        maxConcurrent = upstream.maxConcurrent();
    }

    /** Its origins, in the order of its URLs. */
    public List<OriginState> origins() {
        return origins;
    }

    /** The attempts at one of its origins. */
    public AttemptCounts attempts(OriginState origin) {
        return attempts.get(origins.indexOf(origin));
    }

    /** Its budget of retries. */
    public TokenBudget retries() {
        return retries;
    }

    /** The 95th percentile of its times to first token; see {@link TtftPercentile#p95Ns}. */
    public long p95TtftNs() {
        return ttft.p95Ns();
    }

    /** Whether it takes another request: an origin serves, and its limit of requests is not reached. */
    public boolean admits(long nowNs) {
        return !isFull() && Balancer.anyAdmits(origins, nowNs);
    }

    /** Whether its limit of requests in progress is reached. */
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
