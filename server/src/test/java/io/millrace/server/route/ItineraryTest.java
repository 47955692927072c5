package io.millrace.server.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.balance.AttemptCounts;
import io.millrace.server.balance.RetryAfter;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.Upstream.RetryBudget;
import io.millrace.server.http.Refusal;
import io.millrace.server.route.Itinerary.Place;
import io.millrace.server.telemetry.Summary;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The places of one request after each failure. The test sets randomness and time. */
class ItineraryTest {
    private static final long NOW = Duration.ofHours(1).toNanos();
    private static final long MS = Duration.ofMillis(1).toNanos();
    private static final Failure ANSWERED = Failure.ofAnswer("503", RetryAfter.NONE);
    private static final Failure BUSY = Failure.busy("all are taken");

    @Test
    void beginsAtTheFirstTarget() {
        var way = way(attempts(3), "a", "b");
        assertThat(name(way.first(NOW))).isEqualTo("a0");
        assertThat(way.attempts()).isEqualTo(1);
        assertThat(way.retries()).isZero();
        assertThat(summary(way).failures()).isEmpty();
    }

    @Test
    void beginsAtTheNextTargetWhereTheFirstIsFull() {
        RoutePlan plan = plan(attempts(3), upstream -> upstream.with(u -> u.maxConcurrent = 1), "a", "b");
        fill(plan, 0);
        assertThat(name(way(plan).first(NOW))).isEqualTo("b0");
        fill(plan, 1);
        assertThat(way(plan).first(NOW)).isNull();
    }

    @Test
    void asksAnotherOriginAtOnce() {
        var way = way(attempts(3), "a:3");
        var asked = new HashSet<String>();
        asked.add(name(way.first(NOW)));
        for (int i = 0; i < 2; i++) {
            Itinerary.Next next = way.after(ANSWERED, NOW, NOW);
            assertThat(next.delayNs()).isZero();
            asked.add(name(way.resolve(next, NOW)));
        }
        assertThat(asked).containsExactlyInAnyOrder("a0", "a1", "a2");
        assertThat(way.retries()).isEqualTo(2);
        assertThat(way.after(ANSWERED, NOW, NOW)).isNull();
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "40, 40", "100, 100"})
    void asksTheOnlyOriginAfterARandomWait(long told, long waits) {
        var way = new Itinerary(plan(attempts(2), u -> u, "a"), null, random(told * MS));
        way.first(NOW);
        Itinerary.Next next = way.after(ANSWERED, NOW, NOW);
        assertThat(next.delayNs()).isEqualTo(waits * MS);
        assertThat(next.endpoint()).isNull();
        assertThat(name(way.resolve(next, NOW + next.delayNs()))).isEqualTo("a0");
    }

    @Test
    void waitsTwiceAsLongEachTime() {
        var way = new Itinerary(plan(attempts(3), u -> u, "a"), null, random(200 * MS));
        way.first(NOW);
        assertThat(way.after(ANSWERED, NOW, NOW).delayNs()).isLessThanOrEqualTo(100 * MS);
        way.resolve(new Itinerary.Next(null, 0), NOW);
        assertThat(way.after(ANSWERED, NOW, NOW).delayNs()).isEqualTo(200 * MS);
    }

    @Test
    void waitsAsLongAsTheUpstreamAsks() {
        var way = new Itinerary(plan(attempts(2), u -> u, "a"), null, random(30 * MS));
        way.first(NOW);
        Failure asks = Failure.ofAnswer("429", 2000 * MS);
        assertThat(way.after(asks, NOW, NOW).delayNs()).isEqualTo(2030 * MS);
    }

    @Test
    void goesOnToTheNextTargetIfTheUpstreamAsksForTooLong() {
        var way = way(attempts(2), "a", "b");
        way.first(NOW);
        Itinerary.Next next =
                way.after(Failure.ofAnswer("429", Duration.ofMinutes(5).toNanos()), NOW, NOW);
        assertThat(name(way.resolve(next, NOW))).isEqualTo("b0");
        assertThat(way.fallbacks()).isEqualTo(1);
        assertThat(way.retries()).isZero();
    }

    @Test
    void goesOnToTheNextTargetAfterItsAttempts() {
        var way = way(attempts(1), "a", "b", "c");
        way.first(NOW);
        assertThat(name(way.resolve(way.after(ANSWERED, NOW, NOW), NOW))).isEqualTo("b0");
        assertThat(name(way.resolve(way.after(ANSWERED, NOW, NOW), NOW))).isEqualTo("c0");
        assertThat(way.after(ANSWERED, NOW, NOW)).isNull();
        assertThat(way.attempts()).isEqualTo(3);
        assertThat(way.fallbacks()).isEqualTo(2);
    }

    @Test
    void doesNotAskTheSameTargetAgainWhereThatIsVain() {
        var way = way(attempts(3), "a:2", "b");
        way.first(NOW);
        assertThat(name(way.resolve(way.after(BUSY, NOW, NOW), NOW))).isEqualTo("b0");
        assertThat(way.after(BUSY, NOW, NOW)).isNull();
    }

    @Test
    void givesUpWhenItsTimeIsOver() {
        var way = way(attempts(3), "a", "b");
        way.first(NOW);
        long late = NOW + Retry.DEFAULT.total().toNanos();
        assertThat(way.mayGoOn(NOW, late - 1)).isTrue();
        assertThat(way.mayGoOn(NOW, late)).isFalse();
        assertThat(way.after(ANSWERED, NOW, late)).isNull();
    }

    @Test
    void waitsNoLongerThanItsTime() {
        var way = new Itinerary(plan(attempts(2), u -> u, "a"), null, random(50 * MS));
        way.first(NOW);
        assertThat(way.after(ANSWERED, NOW, NOW + Retry.DEFAULT.total().toNanos() - 10 * MS))
                .isNull();
    }

    @Test
    void keepsToTheUpstreamsBudget() {
        RoutePlan plan = plan(attempts(20), upstream -> upstream.with(u -> u.retryBudget = new RetryBudget(0, 0)), "a");
        var way = way(plan);
        way.first(NOW);
        assertThat(way.after(ANSWERED, NOW, NOW)).isNull();
        assertThat(way.afresh(NOW)).isFalse();
        assertThat(way.attempts()).isEqualTo(1);
    }

    @Test
    void countsANewConnectionForADeadOneAsARetry() {
        var way = way(attempts(2), "a");
        way.first(NOW);
        assertThat(way.afresh(NOW)).isTrue();
        assertThat(way.attempts()).isEqualTo(2);
        assertThat(way.retries()).isEqualTo(1);
        assertThat(way.mayGoOn(NOW, NOW)).as("that were all").isFalse();
    }

    @Test
    void goesOnIfOthersTookTheLastPlaceMeanwhile() {
        RoutePlan plan = plan(attempts(2), upstream -> upstream.with(u -> u.maxConcurrent = 1), "a", "b");
        var way = way(plan);
        way.first(NOW);
        Itinerary.Next next = way.after(ANSWERED, NOW, NOW);
        fill(plan, 0);
        assertThat(name(way.resolve(next, NOW))).isEqualTo("b0");
        assertThat(way.retries()).isZero();
        assertThat(way.fallbacks()).isEqualTo(1);
    }

    @Test
    void resolvesToNothingIfAllAreFullMeanwhile() {
        RoutePlan plan = plan(attempts(2), upstream -> upstream.with(u -> u.maxConcurrent = 1), "a", "b");
        var way = way(plan);
        way.first(NOW);
        Itinerary.Next next = way.after(ANSWERED, NOW, NOW);
        fill(plan, 0);
        fill(plan, 1);
        assertThat(way.resolve(next, NOW)).isNull();
    }

    @Test
    void findsAnotherOriginForAnAttemptBesideTheFirst() {
        var way = way(attempts(1), "a:2", "b");
        String first = name(way.first(NOW));
        assertThat(name(way.beside(NOW))).startsWith("a").isNotEqualTo(first);
        assertThat(way.attempts()).isEqualTo(2);
        assertThat(way.retries() + way.fallbacks()).as("a hedge is neither").isZero();
    }

    @Test
    void findsTheNextTargetForAnAttemptBesideTheFirst() {
        var way = way(attempts(1), "a", "b");
        way.first(NOW);
        assertThat(name(way.beside(NOW))).isEqualTo("b0");
    }

    @Test
    void findsNothingBesideTheOnlyOrigin() {
        var way = way(attempts(1), "a");
        way.first(NOW);
        assertThat(way.beside(NOW)).isNull();
        assertThat(way.attempts()).isEqualTo(1);
    }

    @Test
    void asksTheSameOriginForTheSameKey() {
        RoutePlan plan = plan(attempts(1), u -> u, "a:5");
        for (long key = 0; key < 20; key++) {
            String first = name(new Itinerary(plan, key, random(key * MS)).first(NOW));
            assertThat(name(new Itinerary(plan, key, random(0)).first(NOW))).isEqualTo(first);
        }
    }

    @Test
    void saysWhyAttemptsFailed() {
        var way = way(attempts(3), "a", "b");
        Itinerary.Place first = way.first(NOW);
        way.onFailure(first, "503", NOW, NOW + MS);
        Itinerary.Place next = way.resolve(way.after(ANSWERED, NOW, NOW + MS), NOW + MS);
        way.onFailure(next, "reset", NOW + MS, NOW + 3 * MS);
        assertThat(summary(way).failures())
                .containsExactly(
                        new Summary.Failed("a", "http://a0", "503", NOW, NOW + MS),
                        new Summary.Failed("a", "http://a0", "reset", NOW + MS, NOW + 3 * MS));
        AttemptCounts counts =
                first.destination().state().attempts(first.endpoint().state());
        assertThat(counts.failures()).isEqualTo(Map.of("503", 1L, "reset", 1L));
        assertThat(counts.begun(AttemptCounts.Kind.FIRST)).isEqualTo(1);
        assertThat(counts.begun(AttemptCounts.Kind.RETRY)).isEqualTo(1);
        assertThat(counts.begun(AttemptCounts.Kind.FALLBACK)).isZero();
    }

    @Test
    void aFailureOfOursIsNoAnswer() {
        assertThat(BUSY.unasked()).isTrue();
        assertThat(ANSWERED.unasked()).isFalse();
        var refusal = new Refusal(502, "c", "m", null, null);
        assertThat(ANSWERED.withRefusal(refusal).refusal()).isSameAs(refusal);
    }

    private static Summary.Attempts summary(Itinerary way) {
        return way.summary(new Summary.Asked("a", null, null, null, null, null), false);
    }

    private static Retry attempts(int attempts) {
        return Retry.DEFAULT.with(r -> r.attempts = attempts).with(r -> r.base = Duration.ofMillis(100));
    }

    private static Itinerary way(Retry retry, String... targets) {
        return way(plan(retry, u -> u, targets));
    }

    private static Itinerary way(RoutePlan plan) {
        return new Itinerary(plan, null, random(0));
    }

    /** Says that number where one up to a greater one is asked for. */
    private static RandomGenerator random(long number) {
        return () -> number << 1;
    }

    /** With a target for each name, {@code a:2} for one with two origins. */
    private static RoutePlan plan(Retry retry, UnaryOperator<Upstream> change, String... names) {
        var targets = new ArrayList<Route.Target>();
        Map<String, Upstream> upstreams = new TreeMap<>();
        for (String name : names) {
            String alone = name.substring(0, 1);
            int origins = name.length() == 1 ? 1 : Integer.parseInt(name.substring(2));
            var urls = new ArrayList<URI>();
            for (int i = 0; i < origins; i++) {
                urls.add(URI.create("http://" + alone + i));
            }
            targets.add(Route.Target.of(alone));
            upstreams.put(alone, change.apply(Upstream.of(alone, urls)));
        }
        Route route = Route.of("all", Match.ALL, targets).with(r -> r.retry = retry);
        RelayConfig config =
                RelayConfig.defaults().with(c -> c.upstreams = upstreams).with(c -> c.routes = List.of(route));
        return RouteTable.of(config, null).find("/v1/chat/completions", new DefaultHttpHeaders(), null);
    }

    private static void fill(RoutePlan plan, int target) {
        plan.targets().get(target).endpoints().get(0).state().onStart(NOW);
    }

    private static String name(Place place) {
        return place.endpoint().origin().host();
    }
}
