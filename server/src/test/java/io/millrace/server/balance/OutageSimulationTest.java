package io.millrace.server.balance;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import java.net.URI;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many requests at origins that fail and recover, on a clock of its own: what the parts do together. */
class OutageSimulationTest {
    private static final int PER_SECOND = 200;
    private static final long TTFT_NS = MILLISECONDS.toNanos(60);
    private static final long STREAM_NS = SECONDS.toNanos(1);
    private static final long DEADLINE_NS = SECONDS.toNanos(5);

    private final SplittableRandom random = new SplittableRandom(5);
    private final PriorityQueue<Event> events = new PriorityQueue<>(Comparator.comparingLong(Event::atNs));
    private final Backoff backoff = new Backoff(Retry.DEFAULT);
    private UpstreamState upstream;
    private double[] failureShare;
    private long[] ttftNs;
    private int[] attempts;
    private int failedClients;
    private int retries;
    private long nowNs;

    private record Event(long atNs, Runnable action) {}

    @Test
    void equalOriginsShareEqually() {
        origins(3);

        run(20);

        assertThat(Arrays.stream(attempts).boxed())
                .allSatisfy(count -> assertThat(count).isBetween(1200, 1470));
    }

    @Test
    void slowOriginGetsLess() {
        origins(2);
        ttftNs[0] = 10 * TTFT_NS;

        run(20);

        assertThat(attempts[0]).isBetween(20, attempts[1] / 4);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.5, 1})
    void trafficLeavesFailingOriginWithinOneSecondAndReturns(double share) {
        origins(2);
        run(5);

        failureShare[0] = share;
        run(1);
        attempts[0] = 0;
        run(10);
        assertThat(attempts[0]).isLessThan(PER_SECOND * 10 / 20);

        failureShare[0] = 0;
        run(25);
        attempts[0] = 0;
        run(10);
        assertThat(attempts[0]).isGreaterThan(PER_SECOND * 10 * 35 / 100);
        assertThat(failedClients).isZero();
        assertThat(upstream.origins())
                .allSatisfy(origin -> assertThat(origin.isEjected()).isFalse());
    }

    @Test
    void failingFastDrawsNoTrafficEvenIfNothingIsEjected() {
        origins(2, false);
        failureShare[0] = 1;

        run(30);

        assertThat(attempts[0]).isLessThan(PER_SECOND * 30 / 50);
        assertThat(failedClients).isZero();
    }

    @Test
    void rareFailuresCostAnOriginLittle() {
        origins(2);
        failureShare[0] = 0.002;

        run(60);

        assertThat(attempts[0]).isGreaterThan(PER_SECOND * 60 / 5);
        assertThat(failedClients).isZero();
    }

    @Test
    void silentOriginIsLeftBeforeItsAttemptsFail() {
        origins(2);
        run(5);
        ttftNs[0] = SECONDS.toNanos(60);
        attempts[0] = 0;

        run(4);

        assertThat(attempts[0]).isLessThan(PER_SECOND * 4 / 10);
    }

    @Test
    void totalOutageIsNotMultipliedAndEndsByItself() {
        origins(2);
        run(10);
        failureShare[0] = 1;
        failureShare[1] = 1;
        retries = 0;

        run(30);

        assertThat(retries).isLessThanOrEqualTo((int) (0.2 * PER_SECOND * 40) + 10 * 31);
        assertThat(failedClients).isGreaterThan(PER_SECOND * 25);
        failureShare[0] = 0;
        failureShare[1] = 0;
        run(1);
        failedClients = 0;
        run(30);
        assertThat(failedClients).isZero();
    }

    @Test
    void nothingIsLeftInHand() {
        origins(3);
        failureShare[1] = 0.3;
        run(10);

        runUntilQuiet();

        assertThat(upstream.origins())
                .allSatisfy(origin -> assertThat(origin.inFlight()).isZero());
    }

    private void origins(int count) {
        origins(count, true);
    }

    private void origins(int count, boolean ejecting) {
        var urls = IntStream.range(0, count)
                .mapToObj(i -> URI.create("http://10.0.0." + i))
                .toList();
        var configured = Upstream.of("u", urls);
        if (!ejecting) {
            var health =
                    configured.health().with(h -> h.consecutiveFailures = 0).with(h -> h.failureRate = 0);
            configured = configured.with(u -> u.health = health);
        }
        upstream = new UpstreamState(configured);
        failureShare = new double[count];
        attempts = new int[count];
        ttftNs = new long[count];
        Arrays.fill(ttftNs, TTFT_NS);
    }

    /** Requests at even intervals for this long, and whatever they bring. */
    private void run(int seconds) {
        for (int i = 0; i < seconds * PER_SECOND; i++) {
            at(nowNs + i * (SECONDS.toNanos(1) / PER_SECOND), () -> {
                upstream.retries().onRequest(nowNs);
                attempt(1, null);
            });
        }
        long endNs = nowNs + SECONDS.toNanos(seconds);
        while (!events.isEmpty() && events.peek().atNs() < endNs) {
            next();
        }
        nowNs = endNs;
    }

    private void runUntilQuiet() {
        while (!events.isEmpty()) {
            next();
        }
    }

    private void next() {
        var event = events.poll();
        nowNs = event.atNs();
        event.action().run();
    }

    private void at(long atNs, Runnable action) {
        events.add(new Event(atNs, action));
    }

    private void attempt(int number, OriginState last) {
        List<OriginState> origins = upstream.origins();
        OriginState other = last == null ? null : Balancer.pick(origins, only(last), nowNs, random);
        OriginState origin = other == null ? Balancer.pick(origins, Balancer.NONE, nowNs, random) : other;
        int index = origins.indexOf(origin);
        attempts[index]++;
        var attempt = origin.onStart(nowNs);
        if (random.nextDouble() < failureShare[index]) {
            at(nowNs + MILLISECONDS.toNanos(1), () -> {
                attempt.onFailure(nowNs, DEADLINE_NS);
                retry(number, origin);
            });
            return;
        }
        long spreadNs = ttftNs[index] / 2 + random.nextLong(ttftNs[index]);
        at(nowNs + spreadNs, () -> attempt.onFirstOutput(nowNs));
        at(nowNs + spreadNs + STREAM_NS, () -> attempt.onSuccess(nowNs));
    }

    private void retry(int made, OriginState failed) {
        if (made == Retry.DEFAULT.attempts() || !upstream.retries().tryRetry(nowNs)) {
            failedClients++;
            return;
        }
        retries++;
        boolean elsewhere = Balancer.pick(upstream.origins(), only(failed), nowNs, random) != null;
        long delayNs = elsewhere ? 0 : backoff.delayNs(made, RetryAfter.NONE, random);
        at(nowNs + delayNs, () -> attempt(made + 1, failed));
    }

    private long only(OriginState origin) {
        return Balancer.with(Balancer.NONE, upstream.origins().indexOf(origin));
    }
}
