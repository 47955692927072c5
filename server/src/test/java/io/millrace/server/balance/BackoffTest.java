package io.millrace.server.balance;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Route.Retry;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackoffTest {
    private final Backoff backoff = new Backoff(Retry.DEFAULT);
    private final SplittableRandom random = new SplittableRandom(7);

    @ParameterizedTest
    @CsvSource({"1, 250", "2, 500", "3, 1000", "5, 4000", "6, 8000", "7, 8000", "20, 8000", "2000000000, 8000"})
    void waitsSomewhereBelowCeilingThatDoubles(int attempts, long ceilingMs) {
        var delays = IntStream.range(0, 2000)
                .mapToLong(i -> backoff.delayNs(attempts, RetryAfter.NONE, random))
                .summaryStatistics();

        long ceilingNs = MILLISECONDS.toNanos(ceilingMs);
        assertThat(delays.getMin()).isBetween(0L, ceilingNs / 50);
        assertThat(delays.getMax()).isBetween(ceilingNs - ceilingNs / 50, ceilingNs);
        assertThat(delays.getAverage()).isBetween(ceilingNs * 0.45, ceilingNs * 0.55);
    }

    @Test
    void waitsAtLeastAsLongAsTheUpstreamAsks() {
        long askedNs = SECONDS.toNanos(3);

        for (int i = 0; i < 1000; i++) {
            assertThat(backoff.delayNs(1, askedNs, random)).isBetween(askedNs, askedNs + MILLISECONDS.toNanos(250));
        }
    }

    @Test
    void grantsNoLongerWaitThanItsCap() {
        assertThat(backoff.delayNs(1, SECONDS.toNanos(10), random)).isPositive();
        assertThat(backoff.delayNs(1, SECONDS.toNanos(10) + 1, random)).isEqualTo(Backoff.TOO_LONG);
    }

    @Test
    void waitsNotAtAllWithoutBase() {
        var atOnce = new Backoff(Retry.DEFAULT.with(r -> r.base = Duration.ZERO));

        assertThat(atOnce.delayNs(3, RetryAfter.NONE, random)).isZero();
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", textBlock = """
            # retry-after-ms, retry-after, milliseconds
            -,     -,       -1
            1500,  30,      1500
            12.5,  -,       12.5
            x,     2,       2000
            -5,    2,       2000
            -,     0,       0
            -,     1.5,     1500
            -,     4.0,     4000
            -,     -3,      -1
            -,     soon,    -1
            -,     NaN,     -1
            -,     Infinity, -1
            -,     1d,      -1
            -,     0x1p3,   -1
            -,     1e3,     -1
            -,     120junk, -1
            1f,    2,       2000
            -,     99999999999999999999, 604800000
            -,     'Sun, 06 Nov 1994 08:49:40 GMT', 3000
            -,     'Sunday, 06-Nov-94 08:49:40 GMT', 3000
            -,     'Sun, 06 Nov 1994 08:49:36 GMT', 0
            -,     'Sun, 06 Nov 2094 08:49:36 GMT', 604800000
            """)
    void readsHowLongToWait(String millis, String retryAfter, double expectedMs) {
        var headers = new DefaultHttpHeaders();
        if (millis != null) {
            headers.set("Retry-After-Ms", millis);
        }
        if (retryAfter != null) {
            headers.set("Retry-After", retryAfter);
        }

        long parsed =
                RetryAfter.parse(headers, Instant.parse("1994-11-06T08:49:37Z").toEpochMilli());

        assertThat(parsed).isEqualTo(expectedMs < 0 ? RetryAfter.NONE : (long) (expectedMs * 1e6));
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", textBlock = """
            -,      true,  true
            -,      false, false
            true,   false, true
            false,  true,  false
            maybe,  true,  true
            """)
    void upstreamsOwnWordOnRetriesWins(String header, boolean otherwise, boolean expected) {
        var headers = new DefaultHttpHeaders();
        if (header != null) {
            headers.set("x-should-retry", header);
        }

        assertThat(RetryAfter.shouldRetry(headers, otherwise)).isEqualTo(expected);
    }
}
