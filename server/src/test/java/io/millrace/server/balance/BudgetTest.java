package io.millrace.server.balance;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Upstream.RetryBudget;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BudgetTest {
    private static final long START_NS = -SECONDS.toNanos(12345); // a clock may begin anywhere

    @ParameterizedTest
    @ValueSource(ints = {1, 20, 200, 5000})
    void totalOutageIsNotMultiplied(int requestsPerSecond) {
        var budget = new TokenBudget(RetryBudget.DEFAULT);
        int seconds = 60;
        long retries = 0;

        for (long i = 0; i < (long) seconds * requestsPerSecond; i++) {
            long nowNs = START_NS + i * SECONDS.toNanos(1) / requestsPerSecond;
            budget.onRequest(nowNs);
            // Every attempt fails, and every failure asks for two more.
            retries += budget.tryRetry(nowNs) ? 1 : 0;
            retries += budget.tryRetry(nowNs) ? 1 : 0;
        }

        long allowed = (long) (0.2 * seconds * requestsPerSecond) + seconds;
        assertThat(retries).isBetween(Math.min(2L * seconds * requestsPerSecond, allowed) * 8 / 10, allowed);
        assertThat(budget.retries()).isEqualTo(retries);
        assertThat(budget.refused()).isEqualTo(2L * seconds * requestsPerSecond - retries);
    }

    @Test
    void quietUpstreamMayBeRetriedTenTimesInTenSeconds() {
        var budget = new TokenBudget(RetryBudget.DEFAULT);

        assertThat(retriesAt(budget, START_NS)).isEqualTo(10);
        assertThat(retriesAt(budget, START_NS + SECONDS.toNanos(9))).isZero();
        assertThat(retriesAt(budget, START_NS + SECONDS.toNanos(10))).isEqualTo(10);
    }

    @Test
    void requestsPayForTenSeconds() {
        var budget = new TokenBudget(new RetryBudget(0.2, 0));
        for (int i = 0; i < 100; i++) {
            budget.onRequest(START_NS);
        }

        assertThat(retriesAt(budget, START_NS + SECONDS.toNanos(9))).isEqualTo(20);
        assertThat(retriesAt(budget, START_NS + SECONDS.toNanos(10))).isZero();
    }

    @Test
    void budgetOfNothingAllowsNothing() {
        var budget = new TokenBudget(new RetryBudget(0, 0));
        budget.onRequest(START_NS);

        assertThat(budget.tryRetry(START_NS)).isFalse();
    }

    @Test
    void hedgesStayBelowTheirShareOfAnyNumberOfRequests() {
        var budget = new HedgeBudget(0.05);

        long hedges = 0;
        for (int requests = 1; requests <= 10_000; requests++) {
            budget.onRequest();
            hedges += budget.tryHedge() ? 1 : 0;
            assertThat(hedges).isLessThanOrEqualTo((long) (0.05 * requests + 1e-6));
        }

        assertThat(hedges).isBetween(499L, 500L);
    }

    @Test
    void savedHedgesAreFew() {
        var budget = new HedgeBudget(0.05);
        for (int i = 0; i < 100_000; i++) {
            budget.onRequest();
        }

        int hedges = 0;
        while (budget.tryHedge()) {
            hedges++;
        }

        assertThat(hedges).isEqualTo(10);
    }

    private static int retriesAt(TokenBudget budget, long nowNs) {
        int retries = 0;
        while (budget.tryRetry(nowNs)) {
            retries++;
        }
        return retries;
    }
}
