package io.millrace.server.balance;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.server.config.Health;
import java.time.Duration;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OriginStateTest {
    private static final long DEADLINE_NS = SECONDS.toNanos(600);
    private static final long TTFT_NS = MILLISECONDS.toNanos(100);

    private final OriginState origin = origin(Health.DEFAULT);
    private long nowNs = -SECONDS.toNanos(5);

    @Test
    void isEjectedAfterFailuresInRow() {
        fail(origin, 4);
        assertThat(origin.admits(nowNs)).isTrue();

        fail(origin, 1);

        assertThat(origin.admits(nowNs)).isFalse();
        assertThat(origin.isEjected()).isTrue();
        assertThat(origin.ejections()).isOne();
        assertThat(origin.inFlight()).isZero();
    }

    @Test
    void firstOutputBreaksTheRow() {
        for (int i = 0; i < 4; i++) {
            fail(origin, 4);
            succeed(origin);
        }

        assertThat(origin.isEjected()).isFalse();
    }

    @Test
    void isEjectedWhenItCutsStreamAfterStream() {
        for (int i = 0; i < 5; i++) {
            var attempt = origin.onStart(nowNs);
            attempt.onFirstOutput(later(TTFT_NS));
            attempt.onFailure(later(TTFT_NS), DEADLINE_NS);
        }

        assertThat(origin.isEjected()).isTrue();
    }

    @Test
    void isEjectedAtFailureRateOverEnoughAttempts() {
        var lenient = origin(Health.DEFAULT.with(h -> h.consecutiveFailures = 0));
        for (int i = 0; i < 9; i++) {
            succeed(lenient);
            fail(lenient, 1);
        }
        succeed(lenient);
        assertThat(lenient.isEjected()).isFalse();

        fail(lenient, 1);

        assertThat(lenient.isEjected()).isTrue();
    }

    @Test
    void failuresBeforeTheWindowAreForgotten() {
        var lenient = origin(Health.DEFAULT.with(h -> h.consecutiveFailures = 0));
        fail(lenient, 19);
        later(SECONDS.toNanos(10));

        fail(lenient, 10);

        assertThat(lenient.isEjected()).isFalse();
    }

    @Test
    void neverEjectsWhenBothWaysAreOff() {
        var always = origin(Health.DEFAULT.with(h -> h.consecutiveFailures = 0).with(h -> h.failureRate = 0));

        fail(always, 1000);

        assertThat(always.isEjected()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsIgnoredNeverCounts(boolean afterOutput) {
        fail(origin, 4);
        succeed(origin);
        fail(origin, 4);

        for (int i = 0; i < 100; i++) {
            var attempt = origin.onStart(nowNs);
            if (afterOutput && i == 0) {
                attempt.onFirstOutput(later(TTFT_NS));
            }
            attempt.onIgnored();
            attempt.onFailure(nowNs, DEADLINE_NS);
        }

        assertThat(origin.isEjected()).isFalse();
        assertThat(origin.inFlight()).isZero();
        fail(origin, afterOutput ? 5 : 1);
        assertThat(origin.isEjected()).isTrue();
    }

    @Test
    void ejectionsGrowWhileItsTrialsFailAndNotBeyondTheLongest() {
        fail(origin, 5);

        for (long seconds : new long[] {5, 10, 20, 40, 80, 160, 300, 300}) {
            later(SECONDS.toNanos(seconds) - 1);
            assertThat(origin.admits(nowNs)).isFalse();
            later(1);
            assertThat(origin.admits(nowNs)).isTrue();
            fail(origin, 1);
        }
    }

    @Test
    void ejectionsStartShortAgainAfterAnOriginWasWell() {
        ejectTwice();
        later(SECONDS.toNanos(10));
        succeed(origin);
        later(SECONDS.toNanos(10) + 1);

        fail(origin, 5);

        assertThat(origin.admits(later(SECONDS.toNanos(5)))).isTrue();
    }

    @Test
    void ejectionsGoOnGrowingForAnOriginThatCameBackForAMoment() {
        ejectTwice();
        later(SECONDS.toNanos(10));
        succeed(origin);

        fail(origin, 5);

        assertThat(origin.admits(later(SECONDS.toNanos(20) - 1))).isFalse();
        assertThat(origin.admits(later(1))).isTrue();
    }

    @Test
    void oneAttemptIsLetThroughWhenTheEjectionIsOver() {
        fail(origin, 5);
        later(SECONDS.toNanos(5));

        var trial = origin.onStart(nowNs);

        assertThat(origin.admits(nowNs)).isFalse();
        assertThat(origin.admits(later(SECONDS.toNanos(60)))).isFalse();
        trial.onFirstOutput(nowNs);
        assertThat(origin.admits(nowNs)).isTrue();
        assertThat(origin.isEjected()).isFalse();
    }

    @Test
    void trialThatSaysNothingMakesRoomForAnother() {
        fail(origin, 5);
        later(SECONDS.toNanos(5));

        origin.onStart(nowNs).onIgnored();

        assertThat(origin.isEjected()).isTrue();
        assertThat(origin.admits(nowNs)).isTrue();
    }

    @Test
    void attemptsFromBeforeTheEjectionChangeNothing() {
        var good = origin.onStart(nowNs);
        var bad = origin.onStart(nowNs);
        var late = origin.onStart(nowNs);
        later(1);
        fail(origin, 5);

        bad.onFailure(nowNs, DEADLINE_NS);
        good.onFirstOutput(nowNs);

        assertThat(origin.isEjected()).isTrue();
        assertThat(origin.admits(later(SECONDS.toNanos(5)))).isTrue();
        succeed(origin);
        fail(origin, 4);
        late.onFailure(nowNs, DEADLINE_NS);
        assertThat(origin.isEjected()).isFalse();
    }

    @Test
    void successOfAnAttemptThatWasMadeAllTheSameBringsItBack() {
        fail(origin, 5);
        later(1);

        succeed(origin);

        assertThat(origin.admits(nowNs)).isTrue();
    }

    @Test
    void returningOriginIsDueGrowingShare() {
        succeed(origin);
        double usual = cost();
        fail(origin, 5);
        later(SECONDS.toNanos(5));
        succeed(origin);

        assertThat(cost()).isCloseTo(10 * usual, within5Percent(10 * usual));
        later(SECONDS.toNanos(5));
        origin.onStart(nowNs).onIgnored();
        assertThat(cost()).isCloseTo(2 * usual, within5Percent(2 * usual));
        later(SECONDS.toNanos(5));
        assertThat(cost()).isCloseTo(usual, within5Percent(usual));
    }

    @Test
    void silentOriginCostsAsMuchAsIsWaitedFor() {
        succeed(origin);
        var waiting = origin.onStart(nowNs);

        later(SECONDS.toNanos(30));

        assertThat(cost()).isEqualTo(2.0 * SECONDS.toNanos(30));
        waiting.onIgnored();
        assertThat(cost()).isLessThan(2.0 * TTFT_NS);
    }

    @Test
    void aFailureThatIsForgottenWeighsNothingInTheNextTime() {
        fail(origin, 1);
        later(SECONDS.toNanos(16));

        succeed(origin);

        assertThat(origin.ttftNs(0)).isEqualTo((double) TTFT_NS);
    }

    @Test
    void failedChecksKeepRequestsAwayUntilOneSucceeds() {
        origin.onCheck(false, nowNs);
        assertThat(origin.admits(nowNs)).isTrue();

        origin.onCheck(false, nowNs);
        assertThat(origin.admits(nowNs)).isFalse();
        assertThat(origin.isDown()).isTrue();

        origin.onCheck(true, nowNs);
        assertThat(origin.admits(nowNs)).isTrue();
    }

    @Test
    void checksThatSucceedEndNoEjection() {
        fail(origin, 5);

        origin.onCheck(true, nowNs);

        assertThat(origin.admits(nowNs)).isFalse();
    }

    @Test
    void ninetyFifthPercentileIsWithinQuarter() {
        var percentile = new TtftPercentile();
        for (int i = 0; i < 19; i++) {
            percentile.record(MILLISECONDS.toNanos(1));
        }
        assertThat(percentile.p95Ns()).isZero();

        for (int i = 1; i <= 1000; i++) {
            percentile.record(MILLISECONDS.toNanos(i));
        }

        assertThat(percentile.p95Ns()).isBetween(MILLISECONDS.toNanos(945), MILLISECONDS.toNanos(945 * 5 / 4));
    }

    @Test
    void percentileFollowsWhatIsRecent() {
        var percentile = new TtftPercentile();
        for (int i = 0; i < 5000; i++) {
            percentile.record(SECONDS.toNanos(10));
        }
        for (int i = 0; i < 10_000; i++) {
            percentile.record(MILLISECONDS.toNanos(20));
        }

        assertThat(percentile.p95Ns()).isLessThan(MILLISECONDS.toNanos(26));
    }

    private void ejectTwice() {
        fail(origin, 5);
        later(SECONDS.toNanos(5));
        fail(origin, 1);
        assertThat(origin.ejections()).isEqualTo(2);
    }

    private double cost() {
        return origin.cost((double) TTFT_NS, 0, nowNs);
    }

    private void fail(OriginState failing, int times) {
        for (int i = 0; i < times; i++) {
            failing.onStart(nowNs).onFailure(nowNs, DEADLINE_NS);
        }
    }

    private void succeed(OriginState succeeding) {
        var attempt = succeeding.onStart(nowNs);
        attempt.onFirstOutput(later(TTFT_NS));
        attempt.onSuccess(nowNs);
    }

    private long later(long ns) {
        nowNs += ns;
        return nowNs;
    }

    private static OriginState origin(Health health) {
        return new OriginState(
                "http://a", health.with(h -> h.slowStart = Duration.ofSeconds(10)), new TtftPercentile());
    }

    private static Offset<Double> within5Percent(double value) {
        return within(value * 0.05);
    }
}
