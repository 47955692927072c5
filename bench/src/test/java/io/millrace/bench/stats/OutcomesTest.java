package io.millrace.bench.stats;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.report.JsonReport;
import io.millrace.bench.report.Origin;
import io.millrace.bench.report.Subject;
import io.millrace.bench.stream.Behaviour;
import io.millrace.bench.stream.Behaviours;
import io.millrace.bench.stream.Clients;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.StreamLimits;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("sockets")
class OutcomesTest {
    private static final int REQUESTS = 4;

    private static MockServer mock;
    private static Bench bench;

    @BeforeAll
    static void start() {
        mock = MockServer.start(MockConfig.defaults());
        bench = new Bench(mock, 1);
    }

    @AfterAll
    static void stop() {
        bench.close();
        mock.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "status=429 | status: 429",
                "status=503 | status: 503",
                "tokens=9,end_after=5 | reset: closed",
                "tokens=9,eof_after=5,stamp=1 | truncated",
                "tokens=9,gzip=1 | coded: gzip",
                "tokens=9,error_after=5,error_code=overloaded | error_event: overloaded",
                "tokens=9,hidden_error_after=5 | hidden_error: server_is_overloaded",
                "close_on_accept=1 | no_answer: closed",
                "garbage_head=1 | garbled",
                "tokens=9,garbage_chunk_after=5 | garbled",
                "replay=nothing | status: 400"
            })
    void namesErrors(String spec, String error) throws Exception {
        var result = bench.run(bench.plan(spec, Bench.closed(2, REQUESTS)));

        assertThat(result.errors()).containsOnly(Map.entry(error, (long) REQUESTS));
        assertThat(result.failed()).isEqualTo(REQUESTS);
        assertThat(result.completed()).isZero();
        for (var metric : List.of(Metric.TTFT, Metric.ITL, Metric.FRAMES_PER_READ, Metric.TRANSIT)) {
            assertThat(result.of(metric).count()).as(metric.key()).isZero();
        }
        assertThat(result.errorRate()).isEqualTo(1);
    }

    @Test
    void keepsWhatARefusalSays() throws Exception {
        var result = bench.run(bench.plan("status=401", Bench.closed(1, 1)));

        assertThat(result.refusals().get(401)).contains("error");
    }

    @Test
    void namesATargetThatDoesNotListen() throws Exception {
        MockServer gone = MockServer.start(MockConfig.defaults());
        gone.close();
        try (var other = new Bench(gone, 1)) {
            var result = other.run(other.plan("tokens=1", Bench.closed(1, 2)));

            assertThat(result.errors()).containsOnlyKeys("connect: refused");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1",
                "/v1/completions",
                "/v1/responses",
                "/v1/messages",
                "/v1beta/models/m:streamGenerateContent"
            })
    void readsEveryDialectToItsEnd(String base) throws Exception {
        var result = bench.run(bench.plan(base, "tokens=5,digest=1,stamp=1,reasoning=2", Bench.closed(2, REQUESTS)));

        assertThat(result.errors()).isEmpty();
        assertThat(result.completed()).isEqualTo(REQUESTS);
        assertThat(result.outputTokens()).isGreaterThanOrEqualTo(5 * REQUESTS);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"done=0", "linger=1", "version=1.0", "chunk=segment", "crlf=1,nospace=1", "big_frame=90000"})
    void readsAnswersThatAreUnusualButWhole(String spec) throws Exception {
        var result = bench.run(bench.plan("tokens=5,digest=1," + spec, Bench.closed(2, REQUESTS)));

        assertThat(result.errors()).isEmpty();
        assertThat(result.completed()).isEqualTo(REQUESTS);
    }

    @Test
    void seesBytesThatAreNotTheMocks() throws Exception {
        // Two choices of one stream bear each stamp twice.
        var damaged = bench.run(bench.plan("tokens=5,n=2,stamp=1", Bench.closed(1, 1)));

        assertThat(damaged.errors()).containsOnlyKeys("damaged: stamps out of order");
    }

    @Test
    void usesConnectionsAgain() throws Exception {
        long before = mock.stats().connections();

        var result = bench.run(bench.plan("tokens=1", Bench.closed(3, 60)));

        assertThat(mock.stats().connections() - before).isEqualTo(3);
        assertThat(result.of(Metric.CONNECT).count()).isEqualTo(3);
    }

    @Test
    void givesUpOnSilence() throws Exception {
        var plan = bench.plan("tokens=9,stall_after=3", Bench.closed(2, 2));
        var impatient = new StreamLimits(
                10_000, TimeUnit.MILLISECONDS.toNanos(200), TimeUnit.MINUTES.toNanos(5), 1_000_000_000);

        var result = bench.run(withLimits(plan, impatient));

        assertThat(result.errors()).containsOnlyKeys("idle");
    }

    @Test
    void cutsWhatIsUnfinishedAfterTheDrain() throws Exception {
        var shape = LoadShape.closed(3).with(load -> {
            load.durationNs = TimeUnit.MILLISECONDS.toNanos(100);
            load.drainNs = TimeUnit.MILLISECONDS.toNanos(100);
        });

        var result = bench.run(bench.plan("tokens=9,stall_after=3", shape));

        assertThat(result.errors()).containsOnlyKeys("unfinished");
        assertThat(result.failed()).isEqualTo(3);
    }

    @Test
    void tellsStreamsThatTheUserCutFromFailures() throws Exception {
        var shape = LoadShape.closed(3).with(load -> load.durationNs = TimeUnit.MINUTES.toNanos(5));
        try (var other = new Bench(mock, 1)) {
            var result = other.runUntilStopped(other.plan("tokens=9,stall_after=3", shape));

            assertThat(result.isInterrupted()).isTrue();
            assertThat(result.interrupted()).isEqualTo(3);
            assertThat(result.failed()).isZero();
            assertThat(result.errors()).isEmpty();
            assertThat(result.of(Metric.ITL).count()).isZero();
            assertThat(result.measuredSeconds()).isBetween(0.1, 30.0);
        }
    }

    @Test
    void behavesAsClientsDo() throws Exception {
        long aborted = mock.stats().streamsAborted();
        var plan = bench.plan("tokens=60,gap_ms=2", Bench.closed(4, 80));
        var behaviours = new Behaviours(
                List.of(
                        new Behaviours.Share(0.25, new Behaviour(Behaviour.Kind.CANCEL, 5, 0)),
                        new Behaviours.Share(0.25, new Behaviour(Behaviour.Kind.CANCEL, -1, 30_000_000)),
                        new Behaviours.Share(0.10, Behaviour.SLOW)),
                7);

        var result = bench.run(withBehaviours(plan, behaviours));

        assertThat(result.errors()).isEmpty();
        assertThat(result.left()).isBetween(15L, 65L);
        assertThat(result.behaved()).isGreaterThan(result.left());
        assertThat(result.of(Metric.TTFT).count()).isEqualTo(80 - result.behaved());
        assertThat(mock.stats().streamsAborted() - aborted).isGreaterThan(0);
    }

    @Test
    void leavesHalfOpenConnectionsToTheEnd() throws Exception {
        var shape = LoadShape.closed(2).with(load -> {
            load.durationNs = TimeUnit.MILLISECONDS.toNanos(150);
            load.drainNs = TimeUnit.MILLISECONDS.toNanos(50);
        });
        var behaviours =
                new Behaviours(List.of(new Behaviours.Share(1, new Behaviour(Behaviour.Kind.HALF_OPEN, 2, 0))), 1);

        var result = bench.run(withBehaviours(bench.plan("tokens=9,gap_ms=1", shape), behaviours));

        assertThat(result.left()).isEqualTo(2);
        assertThat(result.errors()).isEmpty();
    }

    @Test
    void endsARunWhenTheLastOfItsClientsFellSilent() throws Exception {
        var shape = LoadShape.closed(2).with(load -> {
            load.durationNs = TimeUnit.MILLISECONDS.toNanos(100);
            load.drainNs = TimeUnit.SECONDS.toNanos(2);
        });
        var behaviours =
                new Behaviours(List.of(new Behaviours.Share(1, new Behaviour(Behaviour.Kind.HALF_OPEN, 2, 0))), 1);

        var result = bench.run(withBehaviours(bench.plan("tokens=9,gap_ms=1", shape), behaviours));

        assertThat(result.left()).isEqualTo(2);
        assertThat(result.seconds()).isLessThan(1.5);
    }

    @Test
    void keepsWhatTheStreamsThatCameToTheirEndBrought() throws Exception {
        var result = bench.run(bench.plan("tokens=5,stamp=1", Bench.closed(2, REQUESTS)));

        assertThat(result.of(Metric.ITL).count()).isEqualTo(4 * REQUESTS);
        assertThat(result.of(Metric.TRANSIT).count()).isEqualTo(5 * REQUESTS);
        assertThat(result.of(Metric.FRAMES_PER_READ).count()).isBetween((long) REQUESTS, 5L * REQUESTS);
    }

    @Test
    void tellsNoPercentileOfSoFewThatItIsTheLargest() throws Exception {
        var result = bench.run(bench.plan("tokens=1", Bench.closed(1, 10)));
        var report = JsonReport.of(new Subject(
                "bench",
                "url",
                "chat",
                "HTTP/1.1",
                "mock",
                "load",
                List.of(result),
                Origin.of(List.of(), "Hello"),
                false));

        assertThat(report.get("p90_ttft_ms").isNumber()).isTrue();
        var ttft = report.at("/points/0/metrics/ttft");
        assertThat(ttft.get("p90").isNumber()).isTrue();
        for (String few : List.of("p95", "p99", "p99.9")) {
            assertThat(ttft.get(few).isNull()).as(few).isTrue();
        }
        assertThat(report.get("p99_ttft_ms").isNull()).isTrue();
        assertThat(report.get("p99.9_ttft_ms").isNull()).isTrue();
    }

    private static StreamPlan withLimits(StreamPlan plan, StreamLimits limits) {
        return new StreamPlan(
                plan.template(),
                plan.address(),
                plan.tls(),
                plan.prompts(),
                plan.shape(),
                Clients.of(plan.clients().behaviours(), limits),
                plan.seed());
    }

    private static StreamPlan withBehaviours(StreamPlan plan, Behaviours behaviours) {
        return new StreamPlan(
                plan.template(),
                plan.address(),
                plan.tls(),
                plan.prompts(),
                plan.shape(),
                Clients.of(behaviours, plan.clients().limits()),
                plan.seed());
    }
}
