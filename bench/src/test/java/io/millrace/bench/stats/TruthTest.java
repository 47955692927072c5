package io.millrace.bench.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.millrace.bench.stream.LoadShape;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares reported times with injected times. A reported time is never less than the injected one, except for the
 * rounding of a histogram with three digits. An upper bound holds for medians only: 40 ms, and for each pause the
 * longest delay of the client's own event loop, because on a busy machine the mock has the same delay.
 */
@Tag("time")
@Tag("sockets")
class TruthTest {
    /** The most by which a median may exceed the injected time. */
    private static final double ERROR_MS = 40;
    /** The rounding of three digits, and of the mock's timer. */
    private static final double ROUNDING = 0.998;

    private static MockServer mock;
    private static Bench bench;

    @BeforeAll
    static void start() {
        mock = MockServer.start(MockConfig.defaults());
        bench = new Bench(mock, 2);
    }

    @AfterAll
    static void stop() {
        bench.close();
        mock.close();
    }

    private static void assertNear(RunResult result, Metric metric, double injected, int pauses) {
        double late = result.of(Metric.LOOP_LAG).max();
        assertThat(result.of(metric).percentile(50))
                .as(metric.key())
                .isBetween(injected * ROUNDING, injected + ERROR_MS + pauses * (Double.isNaN(late) ? 0 : late));
    }

    @Test
    void reportsFixedTimes() throws Exception {
        var result = bench.run(bench.plan("tokens=6,ttft_ms=100,gap_ms=20,stamp=1", Bench.closed(10, 40)));

        assertThat(result.completed()).isEqualTo(40);
        assertThat(result.failed()).isZero();
        assertNear(result, Metric.TTFT, 100, 1);
        assertNear(result, Metric.TTFT_SENT, 100, 1);
        assertThat(result.of(Metric.TTFT_SENT).min()).isGreaterThan(100 * ROUNDING);
        assertNear(result, Metric.ITL, 20, 2);
        assertNear(result, Metric.TPOT, 20, 2);
        assertNear(result, Metric.E2E, 200, 7);
        assertNear(result, Metric.TRANSIT, 0, 1);
        assertThat(result.of(Metric.ITL).count()).isEqualTo(40 * 5);
        assertThat(result.of(Metric.TRANSIT).count()).isEqualTo(40 * 6);
        assertThat(result.of(Metric.ITL).mean() * 5)
                .isCloseTo(result.of(Metric.TPOT).mean() * 5, withinPercentage(1));
        assertThat(result.outputTokens()).isEqualTo(40 * 6);
        assertThat(result.tokenSource()).isEqualTo("usage");
    }

    @Test
    void tellsTwoModesApart() throws Exception {
        var result = bench.run(bench.plan("tokens=1,ttft_ms=bimodal:100:600:30", Bench.closed(40, 120)));

        var ttft = result.of(Metric.TTFT);
        long slow = ttft.histogram().getCountBetweenValues(590_000_000, Long.MAX_VALUE / 2);
        assertThat(slow / 120.0).isBetween(0.10, 0.50);
        assertNear(result, Metric.TTFT, 100, 1);
        assertThat(ttft.max()).isGreaterThan(600 * ROUNDING);
    }

    @Test
    void findsStalls() throws Exception {
        var result = bench.run(bench.plan("tokens=8,gap_ms=20,pause_after=4,pause_ms=400", Bench.closed(10, 20)));

        assertThat(result.stalls()).isGreaterThanOrEqualTo(20);
        assertThat(result.stalled()).isEqualTo(20);
        assertNear(result, Metric.LONGEST_GAP, 420, 2);
        assertNear(result, Metric.ITL, 20, 2);
        assertNear(result, Metric.TPOT, (7 * 20 + 400) / 7.0, 2);
    }

    @Test
    void countsTokensOfFramesThatHoldSeveral() throws Exception {
        var result = bench.run(
                bench.plan("tokens=20,tokens_per_frame=4,ttft_ms=100,gap_ms=80,stamp=1", Bench.closed(10, 20)));

        assertThat(result.of(Metric.TOKENS_PER_FRAME).min()).isBetween(3.99, 4.01);
        assertThat(result.of(Metric.TOKENS_PER_FRAME).max()).isBetween(3.99, 4.01);
        assertThat(result.outputs()).isEqualTo(20 * 5);
        assertThat(result.outputTokens()).isEqualTo(20 * 20);
        assertNear(result, Metric.ITL, 80, 2);
        assertNear(result, Metric.TPOT, 4 * 80 / 19.0, 1);
        assertThat(result.of(Metric.TPOT).percentile(50))
                .isLessThan(result.of(Metric.ITL).percentile(50) / 4);
    }

    @Test
    void seesFramesThatAreHeldTogether() throws Exception {
        var apart = bench.run(bench.plan("tokens=10,gap_ms=30", Bench.closed(4, 8)));
        var together = bench.run(bench.plan("tokens=10", Bench.closed(4, 8)));

        assertThat(together.coalescing()).isGreaterThan(3).isGreaterThan(apart.coalescing());
        assertThat(together.of(Metric.ITL).percentile(50)).isZero();
    }

    @Test
    void countsTheWaitThatAClosedLoopWouldHide() throws Exception {
        // One stream at a time, each 200 ms; one is due every 50 ms. Stream k waits for k times 150 ms.
        var shape = LoadShape.open(20).with(load -> {
            load.burstiness = Double.POSITIVE_INFINITY;
            load.concurrency = 1;
            load.requests = 8;
            load.drainNs = TimeUnit.MINUTES.toNanos(5);
        });
        try (var single = new Bench(mock, 1)) {
            var open = single.run(single.plan("tokens=1,ttft_ms=200", shape));
            assertNear(open, Metric.TTFT_SENT, 200, 1);
            assertThat(open.of(Metric.TTFT).max()).isGreaterThan((200 + 7 * 150) * ROUNDING);
            assertThat(open.of(Metric.TTFT).percentile(50)).isGreaterThan((200 + 3 * 150) * ROUNDING);
            var closed = single.run(single.plan("tokens=1,ttft_ms=200", Bench.closed(1, 8)));
            assertNear(closed, Metric.TTFT, 200, 1);
        }
    }

    @Test
    void keepsReasoningAndContentApart() throws Exception {
        for (String base :
                new String[] {"/v1", "/v1/responses", "/v1/messages", "/v1beta/models/m:streamGenerateContent"}) {
            var result = bench.run(bench.plan(base, "reasoning=5,tokens=3,ttft_ms=100,gap_ms=20", Bench.closed(4, 4)));

            assertThat(result.completed()).as(base).isEqualTo(4);
            assertNear(result, Metric.FIRST_REASONING, 100, 1);
            assertNear(result, Metric.FIRST_CONTENT, 180, 6);
            assertThat(result.of(Metric.FIRST_CONTENT).min()
                            - result.of(Metric.FIRST_REASONING).min())
                    .isGreaterThan(60);
        }
    }

    /** Streams as long as the run: the time until the last of them ends would halve every rate. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void reportsTheRatesOfTheMeasuredPartOnly(boolean open) throws Exception {
        // A stream takes 500 ms: 10 clients, or 20 streams a second, keep 10 of them in progress.
        var shape = (open ? LoadShape.open(20) : LoadShape.closed(10)).with(load -> {
            load.burstiness = Double.POSITIVE_INFINITY;
            load.warmupNs = TimeUnit.MILLISECONDS.toNanos(600);
            load.durationNs = TimeUnit.MILLISECONDS.toNanos(600);
            load.drainNs = TimeUnit.MINUTES.toNanos(5);
        });
        var result = bench.run(bench.plan("tokens=21,ttft_ms=100,gap_ms=20", shape));

        var throughput = result.throughput();
        assertThat(throughput.seconds()).isEqualTo(0.6);
        assertThat(throughput.offeredPerSecond()).isBetween(open ? 18.0 : 8.0, open ? 22.0 : 35.0);
        assertThat(throughput.requestsPerSecond()).isBetween(13.0, 35.0);
        assertThat(throughput.tokensPerSecond()).isBetween(20 * 21 * 0.7, 20 * 21 * 1.2);
        assertThat(result.isSteady()).isFalse();
        assertThat(result.completed() / result.seconds())
                .as("over the time until the last stream ends")
                .isLessThan(0.75 * throughput.tokensPerSecond() / 21);
    }

    @Test
    void countsRequestsUntilTheLastOfThemBegins() throws Exception {
        var result = bench.run(bench.plan("tokens=1,ttft_ms=100", Bench.closed(2, 12)));

        // Each of two clients begins its sixth stream after 500 ms, and has ended five.
        assertThat(result.throughput().seconds()).isBetween(0.49, 1.5);
        assertThat(result.throughput().completed()).isBetween(9L, 11L);
        assertThat(result.completed()).isEqualTo(12);
    }

    @Test
    void countsGoodStreams() throws Exception {
        var result = bench.run(
                bench.plan("tokens=1,ttft_ms=bimodal:20:900:50", Bench.closed(20, 60)), Slo.parse("ttft=500ms"));

        long slow = result.of(Metric.TTFT).histogram().getCountBetweenValues(890_000_000, Long.MAX_VALUE / 2);
        assertThat(slow).isBetween(10L, 50L);
        assertThat(result.good()).isLessThanOrEqualTo(60 - slow).isGreaterThan(0);
    }
}
