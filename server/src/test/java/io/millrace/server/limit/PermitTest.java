package io.millrace.server.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.ClientSettings.ClientLimits;
import io.millrace.server.http.Refusal;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PermitTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long NOON = Instant.parse("2027-01-31T12:00:00Z").toEpochMilli();
    /** After all buckets were made. */
    private static final long NOW = System.nanoTime() + TimeUnit.HOURS.toNanos(1);

    private final ClientUses uses = new ClientUses(() -> 100);

    private ClientUse client(String name, ClientLimits limits) {
        return uses.of(name, limits);
    }

    private static Permit begun(ClientUse use) {
        var permit = new Permit(use);
        assertThat(permit.begin(NOW)).isNull();
        return permit;
    }

    @Test
    void placesAreGivenBack() {
        ClientUse use = client("a", ClientLimits.DEFAULT.with(l -> l.streams = 2));
        Permit first = begun(use);
        begun(use);
        Refusal refusal = new Permit(use).begin(NOW);
        assertThat(refusal.status()).isEqualTo(429);
        assertThat(refusal.code()).isEqualTo("rate_limit_exceeded");
        assertThat(refusal.retryAfter()).isIn("1", "2");
        first.end(0, 0, NOW);
        assertThat(use.streams()).isEqualTo(1);
        begun(use);
    }

    @Test
    void requestsOfAMinuteLimitToo() {
        ClientUse use = client(
                "a", ClientLimits.DEFAULT.with(l -> l.requestsPerMinute = 3).with(l -> l.requestsPerSecond = 0));
        for (int i = 0; i < 3; i++) {
            begun(use);
        }
        Refusal refusal = new Permit(use).begin(NOW);
        assertThat(refusal.limit()).isEqualTo("requests");
        assertThat(refusal.waitMs()).isBetween(20_000L, 22_001L);
        assertThat(use.streams()).isEqualTo(3);
    }

    @Test
    void whatALaterLimitRefusesDoesNotCountForAnEarlierOne() {
        ClientUse use = client(
                "a", ClientLimits.DEFAULT.with(l -> l.requestsPerMinute = 1).with(l -> l.burst = 5));
        begun(use);
        for (int i = 0; i < 10; i++) {
            assertThat(new Permit(use).begin(NOW)).isNotNull();
        }
        assertThat(use.requests().remaining(use.rates().requests(), NOW)).isEqualTo(4);
    }

    @Test
    void tokensAreReservedAndSettled() {
        ClientUse use = client("a", ClientLimits.DEFAULT.with(l -> l.tokensPerMinute = 1000));
        Permit permit = begun(use);
        assertThat(permit.reserve(400, 500, NOW, NOON)).isNull();
        assertThat(left(use)).isEqualTo(1000 - 101 - 500);
        permit.end(100, 20, NOW);
        assertThat(left(use)).isEqualTo(880);
        assertThat(use.day().at(NOON).used()).isEqualTo(120);
    }

    @Test
    void requestsAtOnceReserveAllOfThem() {
        ClientUse use = client("a", ClientLimits.DEFAULT.with(l -> l.tokensPerMinute = 1010));
        var permits = new ArrayList<Permit>();
        int refused = 0;
        for (int i = 0; i < 100; i++) {
            Permit permit = begun(use);
            if (permit.reserve(0, 100, NOW, NOON) == null) {
                permits.add(permit);
            } else {
                permit.end(0, 0, NOW);
                refused++;
            }
        }
        assertThat(permits).hasSize(10);
        assertThat(refused).isEqualTo(90);
        permits.forEach(permit -> permit.end(0, 0, NOW));
        assertThat(left(use)).isEqualTo(1010);
        assertThat(use.streams()).isZero();
    }

    @Test
    void oneRequestIsServedHoweverSmallTheLimitIs() {
        ClientUse use = client("a", ClientLimits.DEFAULT.with(l -> l.tokensPerMinute = 10));
        Permit first = begun(use);
        assertThat(first.reserve(1_000_000, 100_000, NOW, NOON)).isNull();
        first.end(50, 60, NOW);
        Refusal refusal = begun(use).reserve(0, 1, NOW, NOON);
        assertThat(refusal.limit()).isEqualTo("tokens");
        // 110 were used of 10, at 10 a minute; 2 are wanted.
        assertThat(refusal.waitMs()).isBetween(612_000L, 673_201L);
        var headers = new DefaultHttpHeaders();
        refusal.addTo(headers);
        assertThat(headers.get("x-should-retry")).isEqualTo("false");
        assertThat(begun(use).reserve(0, 1, NOW + 612 * SECOND, NOON)).isNull();
    }

    @Test
    void aRefusedReservationDoesNotCountAsARequest() {
        ClientUse use = client(
                "a", ClientLimits.DEFAULT.with(l -> l.tokensPerMinute = 10).with(l -> l.burst = 5));
        assertThat(begun(use).reserve(100, 100, NOW, NOON)).isNull();
        for (int i = 0; i < 20; i++) {
            assertThat(begun(use).reserve(100, 100, NOW, NOON)).isNotNull();
        }
        assertThat(use.requests().remaining(use.rates().requests(), NOW)).isEqualTo(4);
    }

    @Test
    void withoutAWordTheMeanOfAnswersIsReserved() {
        ClientUse use = client("a", ClientLimits.DEFAULT.with(l -> l.tokensPerMinute = 100_000));
        for (int i = 0; i < 100; i++) {
            Permit permit = begun(use);
            permit.reserve(0, -1, NOW, NOON);
            permit.end(0, 1000, NOW);
        }
        assertThat(use.meanOutput()).isBetween(950L, 1000L);
    }

    @Test
    void aBudgetEndsWithItsDayOrMonth() {
        ClientUse use =
                client("a", ClientLimits.DEFAULT.with(l -> l.tokensPerDay = 100).with(l -> l.tokensPerMonth = 150));
        use(use, 100, NOON);
        Refusal refusal = begun(use).reserve(0, 1, NOW, NOON);
        assertThat(refusal.code()).isEqualTo("insufficient_quota");
        assertThat(refusal.waitMs())
                .isBetween(Duration.ofHours(12).toMillis(), Duration.ofHours(14).toMillis());
        long nextMonth = NOON + Duration.ofDays(1).toMillis();
        use(use, 60, nextMonth);
        use(use, 50, nextMonth + Duration.ofDays(1).toMillis());
        long third = nextMonth + Duration.ofDays(2).toMillis();
        use(use, 60, third);
        long fourth = nextMonth + Duration.ofDays(3).toMillis();
        assertThat(begun(use).reserve(0, 1, NOW, fourth).message()).contains("month");
    }

    @Test
    void otherLimitsKeepWhatWasUsed() {
        ClientUse use = client("a", ClientLimits.DEFAULT.with(l -> l.tokensPerMinute = 1000));
        Permit permit = begun(use);
        permit.reserve(0, 500, NOW, NOON);
        uses.keep(Set.of());
        ClientUse again = client("a", ClientLimits.DEFAULT.with(l -> l.tokensPerMinute = 2000));
        assertThat(again).isSameAs(use);
        assertThat(again.streams()).isEqualTo(1);
        assertThat(left(again)).isLessThan(2000);
    }

    @Test
    void noClientTakesEveryPlace() {
        ClientUse greedy = client("greedy", ClientLimits.DEFAULT.with(l -> l.burst = 1000));
        ClientUse honest = client("honest", ClientLimits.DEFAULT);
        int taken = 0;
        while (new Permit(greedy).begin(NOW) == null) {
            taken++;
        }
        assertThat(taken).isEqualTo(75);
        List<Permit> permits = new ArrayList<>();
        for (int i = 0; i < 25; i++) {
            permits.add(begun(honest));
        }
        assertThat(new Permit(honest).begin(NOW)).isNotNull();
        permits.forEach(permit -> permit.end(0, 0, NOW));
        assertThat(greedy.places().taken()).isEqualTo(75);
        assertThat(new Permit(greedy).begin(NOW)).isNotNull();
        begun(honest);
    }

    @Test
    void answersSayWhatIsLeft() {
        ClientUse use = client(
                "a",
                ClientLimits.DEFAULT
                        .with(l -> l.requestsPerSecond = 10)
                        .with(l -> l.burst = 20)
                        .with(l -> l.tokensPerMinute = 6000));
        begun(use).reserve(0, 99, NOW, NOON);
        var headers = new DefaultHttpHeaders();
        headers.set("X-RateLimit-Limit-Requests", "of the provider");
        headers.set("x-ratelimit-limit-project-tokens", "of the provider");
        headers.set("anthropic-ratelimit-input-tokens-limit", "of the provider");
        use.tell(headers, Dialect.CHAT, NOW);
        assertThat(headers.entries().stream().map(Object::toString))
                .containsExactlyInAnyOrder(
                        "x-ratelimit-limit-requests=20",
                        "x-ratelimit-remaining-requests=19",
                        "x-ratelimit-reset-requests=100ms",
                        "x-ratelimit-limit-tokens=6000",
                        "x-ratelimit-remaining-tokens=5900",
                        "x-ratelimit-reset-tokens=1s");
        headers.clear();
        use.tell(headers, Dialect.MESSAGES, NOW);
        assertThat(headers.get("anthropic-ratelimit-requests-remaining")).isEqualTo("19");
        assertThat(Instant.parse(headers.get("anthropic-ratelimit-tokens-reset")))
                .isAfter(Instant.now().minusSeconds(1));
        headers.clear();
        use.tell(headers, Dialect.GEMINI, NOW);
        assertThat(headers.isEmpty()).isTrue();
        assertThat(RateHeaders.duration(SECOND * 3723)).isEqualTo("62m3s");
        assertThat(RateHeaders.duration(1)).isEqualTo("1ms");
    }

    private void use(ClientUse use, int tokens, long nowMs) {
        Permit permit = begun(use);
        assertThat(permit.reserve(0, 0, NOW, nowMs)).isNull();
        permit.end(0, tokens, NOW);
    }

    private static long left(ClientUse use) {
        return use.tokens().remaining(use.rates().tokens(), NOW);
    }
}
