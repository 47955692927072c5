package io.millrace.server.relay;

import static io.millrace.server.relay.ExchangeBed.CHAT;
import static io.millrace.server.relay.ExchangeBed.DONE;
import static io.millrace.server.relay.ExchangeBed.OUTPUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.test.FakeCall;
import io.millrace.server.test.FakeCall.Fate;
import io.millrace.server.upstream.CallListener.Breakage;
import io.millrace.server.upstream.ConnectFailure;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The race of attempts, with upstreams that the test controls. */
class AttemptsTest {
    private static final UnaryOperator<Route> ONCE = retry(1);
    private static final UnaryOperator<Route> TWICE = retry(2);

    private static Route hedged(Route route) {
        var hedge = Hedge.P95.with(h -> h.delay = Duration.ofMillis(50)).with(h -> h.maxShare = 1);
        return ONCE.apply(route).with(r -> r.hedge = hedge);
    }

    private static UnaryOperator<Route> retry(int attempts) {
        var retry = Retry.DEFAULT.with(r -> r.attempts = attempts).with(r -> r.base = Duration.ofSeconds(1));
        return route -> route.with(r -> r.retry = retry);
    }

    @Test
    void theFirstAttemptIsTheAnswer() {
        try (var bed = new ExchangeBed(ONCE, "a")) {
            bed.ask();
            FakeCall call = bed.stream();
            assertThat(bed.client.status()).as("held until the first output").isZero();
            call.read(OUTPUT);
            assertThat(bed.client.body()).isEqualTo(OUTPUT);
            assertThat(bed.header("x-millrace-upstream")).isEqualTo("a");
            assertThat(bed.header("x-millrace-attempts")).isEqualTo("1");
            call.read(DONE);
            assertThat(bed.end()).isEqualTo("whole 200 completed");
            assertThat(call.fate()).isEqualTo(Fate.RELEASED);
        }
    }

    @ParameterizedTest
    @EnumSource(ConnectFailure.Kind.class)
    void theNextTargetIsAskedWhereThereIsNoConnection(ConnectFailure.Kind kind) {
        try (var bed = new ExchangeBed(ONCE, "a", "b")) {
            bed.ask();
            bed.upstreams.next().refuse(kind);
            bed.stream().read(OUTPUT + DONE);
            assertThat(bed.header("x-millrace-upstream")).isEqualTo("b");
            assertThat(bed.header("x-millrace-attempts")).isEqualTo("2");
            assertThat(bed.end()).isEqualTo("whole 200 completed");
        }
    }

    @ParameterizedTest
    @CsvSource({"FULL, 503", "OWN, 503", "TIMEOUT, 504", "UNREACHABLE, 502"})
    void anErrorOfOursIsTheAnswerWhereNobodyCouldBeAsked(ConnectFailure.Kind kind, int status) {
        try (var bed = new ExchangeBed(ONCE, "a")) {
            bed.ask();
            bed.upstreams.next().refuse(kind);
            assertThat(bed.end()).isEqualTo("whole " + status + " upstream_failed");
        }
    }

    @Test
    void anotherOriginIsAskedAtOnce() {
        try (var bed = new ExchangeBed(TWICE, "a:2")) {
            bed.ask();
            var first = bed.upstreams.next();
            FakeCall failed = first.connect();
            failed.head(503);
            failed.end();
            assertThat(bed.upstreams.next().origin()).isNotEqualTo(first.origin());
        }
    }

    @Test
    void theSameOriginIsAskedAfterTheWaitThatItAskedFor() {
        try (var bed = new ExchangeBed(TWICE, "a")) {
            bed.ask();
            bed.answer(503, "retry-after", "5");
            bed.pass(Duration.ofMillis(4900));
            assertThat(bed.upstreams.waiting()).isZero();
            bed.pass(Duration.ofMillis(1200));
            bed.stream().read(OUTPUT + DONE);
            assertThat(bed.end()).isEqualTo("whole 200 completed");
        }
    }

    @Test
    void nobodyIsAskedAfterTheWaitIfTheClientHasLeft() {
        try (var bed = new ExchangeBed(TWICE, "a")) {
            Exchange exchange = bed.ask();
            bed.answer(503, "retry-after", "5");
            exchange.onClientGone("it left");
            bed.pass(Duration.ofSeconds(10));
            assertThat(bed.upstreams.waiting()).isZero();
            assertThat(bed.end()).isEqualTo("open 0 client_gone");
        }
    }

    @Test
    void theUpstreamsOwnErrorIsTheAnswerInTheEnd() {
        try (var bed = new ExchangeBed(ONCE, "a")) {
            bed.ask();
            bed.answer(503);
            assertThat(bed.client.body()).isEqualTo("from 503");
            assertThat(bed.header("x-should-retry")).as("one attempt").isNull();
            assertThat(bed.end()).isEqualTo("whole 503 upstream_error");
        }
    }

    @Test
    void theLastErrorIsTheAnswerOfSeveral() {
        try (var bed = new ExchangeBed(ONCE, "a", "b")) {
            bed.ask();
            bed.answer(503);
            bed.answer(529);
            assertThat(bed.client.body()).isEqualTo("from 529");
            assertThat(bed.header("x-should-retry")).isEqualTo("false");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ConnectFailure.Kind.class,
            names = {"FULL", "OWN"})
    void whatWasAnsweredBeforeIsBetterThanWhoWasNotAsked(ConnectFailure.Kind kind) {
        try (var bed = new ExchangeBed(ONCE, "a", "b")) {
            bed.ask();
            bed.answer(503);
            bed.upstreams.next().refuse(kind);
            assertThat(bed.client.body()).isEqualTo("from 503");
            assertThat(bed.header("x-millrace-upstream")).isEqualTo("a");
            assertThat(bed.end()).isEqualTo("whole 503 upstream_error");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 404, 422})
    void whatIsTheRequestsOwnFaultIsNotTriedAgain(int status) {
        try (var bed = new ExchangeBed(TWICE, "a", "b")) {
            bed.ask();
            bed.answer(status);
            assertThat(bed.upstreams.waiting()).isZero();
            assertThat(bed.end()).isEqualTo("whole " + status + " upstream_error");
        }
    }

    @Test
    void aDeadConnectionOfThePoolIsReplacedByANewOne() {
        try (var bed = new ExchangeBed(ONCE, "a")) {
            bed.ask();
            bed.upstreams.next().connect(true).breakOff(Breakage.Kind.STALE);
            var again = bed.upstreams.next();
            assertThat(again.fresh()).isTrue();
            FakeCall call = again.connect();
            call.head(200, "content-type", "text/event-stream");
            call.read(OUTPUT + DONE);
            assertThat(bed.header("x-millrace-attempts")).isEqualTo("2");
            assertThat(bed.end()).isEqualTo("whole 200 completed");
        }
    }

    @Test
    void whatAnUpstreamMayHaveDoneIsNotAskedTwice() {
        try (var bed = new ExchangeBed(TWICE, "a", "b")) {
            bed.ask("/v1/files", "an upload");
            bed.connect().breakOff(Breakage.Kind.CLOSED_UNUSED);
            assertThat(bed.upstreams.waiting()).isZero();
            assertThat(bed.end()).isEqualTo("whole 502 upstream_failed");
        }
    }

    @Test
    void aRouteMayHaveARequestSentOnceOnly() {
        try (var bed = new ExchangeBed(route -> route.with(r -> r.retry = Retry.OFF), "a", "b")) {
            bed.ask();
            bed.connect().breakOff(Breakage.Kind.CLOSED_UNUSED);
            assertThat(bed.upstreams.waiting()).isZero();
            assertThat(bed.end()).isEqualTo("whole 502 upstream_failed");
        }
    }

    @Test
    void aStreamWithoutOutputMayBreakOff() {
        try (var bed = new ExchangeBed(ONCE, "a", "b")) {
            bed.ask();
            bed.stream().breakOff(Breakage.Kind.RESET);
            bed.stream().read(OUTPUT + DONE);
            assertThat(bed.client.body()).isEqualTo(OUTPUT + DONE);
            assertThat(bed.end()).isEqualTo("whole 200 completed");
        }
    }

    @Test
    void aStreamWithOutputIsNotReplaced() {
        try (var bed = new ExchangeBed(TWICE, "a", "b")) {
            bed.ask();
            FakeCall call = bed.stream();
            call.read(OUTPUT);
            call.breakOff(Breakage.Kind.RESET);
            assertThat(bed.upstreams.waiting()).isZero();
            assertThat(bed.end()).isEqualTo("in error 200 upstream_reset");
        }
    }

    @Test
    void aSecondAttemptBesideTheFirstMayWin() {
        try (var bed = new ExchangeBed(AttemptsTest::hedged, "a:2")) {
            bed.ask();
            FakeCall slow = bed.connect();
            bed.pass(Duration.ofMillis(49));
            assertThat(bed.upstreams.waiting()).isZero();
            bed.pass(Duration.ofMillis(1));
            bed.stream().read(OUTPUT + DONE);
            assertThat(slow.fate()).isEqualTo(Fate.ABORTED);
            assertThat(bed.header("x-millrace-attempts")).isEqualTo("2");
            assertThat(bed.end()).isEqualTo("whole 200 completed");
        }
    }

    @Test
    void theFirstMayStillBeFaster() {
        try (var bed = new ExchangeBed(AttemptsTest::hedged, "a:2")) {
            bed.ask();
            FakeCall first = bed.stream();
            bed.pass(Duration.ofMillis(50));
            FakeCall second = bed.stream();
            first.read(OUTPUT + DONE);
            assertThat(second.fate()).isEqualTo(Fate.ABORTED);
            assertThat(bed.end()).isEqualTo("whole 200 completed");
        }
    }

    @Test
    void theSecondGoesOnAloneIfTheFirstFails() {
        try (var bed = new ExchangeBed(AttemptsTest::hedged, "a:2")) {
            bed.ask();
            FakeCall first = bed.connect();
            bed.pass(Duration.ofMillis(50));
            FakeCall second = bed.stream();
            first.head(503);
            first.read("from 503");
            first.end();
            assertThat(bed.end()).isEqualTo("open 0");
            second.read(OUTPUT + DONE);
            assertThat(bed.end()).isEqualTo("whole 200 completed");
        }
    }

    @Test
    void theFirstGoesOnAloneIfTheSecondFails() {
        try (var bed = new ExchangeBed(AttemptsTest::hedged, "a:2")) {
            bed.ask();
            FakeCall first = bed.stream();
            bed.pass(Duration.ofMillis(50));
            bed.answer(503);
            first.read(OUTPUT + DONE);
            assertThat(bed.end()).isEqualTo("whole 200 completed");
        }
    }

    @Test
    void bothMayFail() {
        try (var bed = new ExchangeBed(AttemptsTest::hedged, "a:2")) {
            bed.ask();
            FakeCall first = bed.connect();
            bed.pass(Duration.ofMillis(50));
            bed.answer(503);
            first.head(529);
            first.read("from 529");
            first.end();
            assertThat(bed.client.body()).isEqualTo("from 529");
            assertThat(bed.end()).isEqualTo("whole 529 upstream_error");
        }
    }

    @Test
    void thereIsNoSecondBesideAnAnswer() {
        try (var bed = new ExchangeBed(AttemptsTest::hedged, "a:2")) {
            bed.ask();
            bed.stream().read(OUTPUT);
            bed.pass(Duration.ofSeconds(1));
            assertThat(bed.upstreams.waiting()).isZero();
        }
    }

    @Test
    void thereIsNoSecondWhereTwiceIsTooOften() {
        try (var bed = new ExchangeBed(AttemptsTest::hedged, "a:2")) {
            bed.ask("/v1/files", "an upload");
            FakeCall only = bed.connect();
            bed.pass(Duration.ofSeconds(1));
            assertThat(bed.upstreams.waiting()).isZero();
            assertThat(only.fate()).isEqualTo(Fate.RUNNING);
        }
    }

    @Test
    void thereIsNoSecondBeyondTheShareOfHedges() {
        UnaryOperator<Route> rare = route -> hedged(route).with(r -> r.hedge = r.hedge.with(h -> h.maxShare = 0.5));
        try (var bed = new ExchangeBed(rare, "a:2")) {
            bed.ask();
            bed.connect();
            bed.pass(Duration.ofSeconds(1));
            assertThat(bed.upstreams.waiting()).isZero();
        }
    }

    @Test
    void bothEndWithTheClient() {
        try (var bed = new ExchangeBed(AttemptsTest::hedged, "a:2")) {
            Exchange exchange = bed.ask(CHAT, ExchangeBed.ASKS);
            FakeCall first = bed.connect();
            bed.pass(Duration.ofMillis(50));
            FakeCall second = bed.connect();
            exchange.onClientGone("it left");
            assertThat(first.fate()).isEqualTo(Fate.ABORTED);
            assertThat(second.fate()).isEqualTo(Fate.ABORTED);
            assertThat(bed.end()).isEqualTo("open 0 client_gone");
        }
    }
}
