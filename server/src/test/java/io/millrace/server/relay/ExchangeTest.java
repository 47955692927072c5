package io.millrace.server.relay;

import static io.millrace.server.relay.ExchangeBed.ASKS;
import static io.millrace.server.relay.ExchangeBed.CHAT;
import static io.millrace.server.relay.ExchangeBed.DONE;
import static io.millrace.server.relay.ExchangeBed.OUTPUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Match;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.test.FakeCall;
import io.millrace.server.test.FakeCall.Fate;
import io.millrace.server.upstream.ConnectFailure;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The order of events of one request, without sockets. */
class ExchangeTest {
    private static Route once(Route route) {
        return route.with(r -> r.retry = Retry.DEFAULT.with(t -> t.attempts = 1));
    }

    @Test
    void refusesWhatNoRouteTakesOnceItIsRead() {
        try (var bed = new ExchangeBed(route -> route.with(r -> r.match = Match.paths("/v1/other")), "a")) {
            Exchange exchange = bed.begin(CHAT);
            bed.send(ASKS);
            assertThat(bed.end()).isEqualTo("open 0");
            exchange.onRequestEnd();
            assertThat(bed.client.body()).contains("no_route");
            assertThat(bed.end()).isEqualTo("whole 404 refused");
        }
    }

    @Test
    void refusesAtOnceWhoWaitsToBeAskedForTheBody() {
        try (var bed = new ExchangeBed(route -> route.with(r -> r.match = Match.paths("/v1/other")), "a")) {
            bed.begin(CHAT, "expect", "100-continue");
            assertThat(bed.end()).isEqualTo("whole 404 refused");
        }
    }

    @Test
    void asksAnUpstreamWhenEnoughOfTheBodyIsHere() {
        try (var bed = new ExchangeBed(ExchangeTest::once, "a")) {
            Exchange exchange = bed.begin("/v1/files");
            bed.send("a".repeat(16 * 1024 - 1));
            assertThat(bed.upstreams.waiting()).isZero();
            bed.send("b");
            FakeCall call = bed.connect();
            bed.send("c");
            assertThat(call.complete()).isFalse();
            exchange.onRequestEnd();
            assertThat(call.complete()).isTrue();
            assertThat(call.body()).hasSize(16 * 1024 + 1).endsWith("bc");
        }
    }

    @Test
    void readsNoMoreOfTheRequestThanTheUpstreamTakes() {
        try (var bed = new ExchangeBed(ExchangeTest::once, "a")) {
            bed.begin("/v1/files");
            bed.send("a".repeat(16 * 1024));
            FakeCall call = bed.connect();
            call.writable(false);
            bed.send("b");
            assertThat(bed.client.isReading()).isFalse();
            call.writable(true);
            assertThat(bed.client.isReading()).isTrue();
        }
    }

    @Test
    void tellsTheClientThatTheUpstreamTakesNoMoreOfItsRequest() {
        try (var bed = new ExchangeBed(ExchangeTest::once, "a")) {
            Exchange exchange = bed.begin("/v1/files");
            bed.send("a".repeat(16 * 1024));
            bed.connect().writable(false);
            bed.send("b");
            exchange.onSweep(System.nanoTime() + Timeouts.DEFAULT.writeStall().toNanos() + 1);
            assertThat(bed.client.body())
                    .contains("upstream_write_stall", "The upstream takes no more of the request.");
            assertThat(bed.end()).isEqualTo("whole 504 upstream_failed");
        }
    }

    @Test
    void refusesABodyThatIsTooLong() {
        try (var bed = new ExchangeBed(ExchangeTest::once, "a")) {
            bed.client.bodyLimit(100);
            bed.begin(CHAT);
            bed.send("a".repeat(100));
            assertThat(bed.end()).isEqualTo("open 0");
            bed.send("b");
            assertThat(bed.end()).isEqualTo("whole 413 refused");
            bed.send("what follows is dropped");
        }
    }

    @Test
    void refusesABodyThatIsNotCodedAsItSays() {
        try (var bed = new ExchangeBed(route -> once(route).with(r -> r.match = Match.models("m")), "a")) {
            bed.begin(CHAT, "content-encoding", "gzip");
            bed.send("no gzip at all");
            assertThat(bed.client.body()).contains("invalid_body");
            assertThat(bed.end()).isEqualTo("whole 400 refused");
        }
    }

    @Test
    void cancelsTheUpstreamWhenTheClientLeaves() {
        try (var bed = new ExchangeBed(ExchangeTest::once, "a")) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.stream();
            call.read(OUTPUT);
            exchange.onClientGone("it left");
            assertThat(call.fate()).isEqualTo(Fate.ABORTED);
            assertThat(bed.end()).isEqualTo("open 200 client_gone");
            exchange.end(OwnEnd.DRAIN, caller -> true);
            exchange.onMemoryShort();
            exchange.onSweep(System.nanoTime());
            assertThat(bed.end()).as("it ends once").isEqualTo("open 200 client_gone");
        }
    }

    @Test
    void readsOnWithoutTheClientWhereTheRouteWantsIt() {
        try (var bed = new ExchangeBed(route -> once(route).with(r -> r.disconnect = Disconnect.READ_ON), "a")) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.stream();
            call.read(OUTPUT);
            exchange.onClientGone("it left");
            assertThat(call.fate()).isEqualTo(Fate.RUNNING);
            assertThat(bed.end()).as("it is not over").isEqualTo("open 200");
            call.read(OUTPUT + DONE);
            assertThat(call.fate()).isEqualTo(Fate.RELEASED);
            assertThat(bed.end()).isEqualTo("open 200 client_gone");
            assertThat(bed.client.body()).isEqualTo(OUTPUT);
        }
    }

    @Test
    void answersWithHeartbeatsUntilThereIsAnAnswer() {
        try (var bed = new ExchangeBed(ExchangeTest::beats, "a")) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.connect();
            exchange.onSweep(System.nanoTime() + Duration.ofSeconds(1).toNanos());
            assertThat(bed.client.status()).isEqualTo(200);
            assertThat(bed.client.body()).isNotEmpty();
            call.head(200, "content-type", "text/event-stream");
            call.read(OUTPUT + DONE);
            assertThat(bed.client.body()).endsWith(OUTPUT + DONE);
            assertThat(bed.end()).isEqualTo("whole 200 completed");
        }
    }

    @Test
    void endsHeartbeatsInAnErrorIfNobodyAnswers() {
        try (var bed = new ExchangeBed(ExchangeTest::beats, "a")) {
            Exchange exchange = bed.ask();
            exchange.onSweep(System.nanoTime() + Duration.ofSeconds(1).toNanos());
            bed.upstreams.next().refuse(ConnectFailure.Kind.UNREACHABLE);
            assertThat(bed.client.body()).contains("upstream_error");
            assertThat(bed.end()).isEqualTo("in error 200 upstream_failed");
        }
    }

    @Test
    void endsAStreamInAnErrorWhenTheRelayGoes() {
        try (var bed = new ExchangeBed(ExchangeTest::once, "a")) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.stream();
            call.read(OUTPUT);
            exchange.end(OwnEnd.DRAIN, caller -> true);
            assertThat(bed.client.body()).startsWith(OUTPUT).contains("relay_draining");
            assertThat(call.fate()).isEqualTo(Fate.ABORTED);
            assertThat(bed.end()).isEqualTo("in error 200 drained");
        }
    }

    @Test
    void answersWithAnErrorWhenMemoryIsShort() {
        try (var bed = new ExchangeBed(ExchangeTest::once, "a")) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.connect();
            exchange.onMemoryShort();
            assertThat(bed.client.body()).contains("relay_overloaded");
            assertThat(call.fate()).isEqualTo(Fate.ABORTED);
            assertThat(bed.end()).isEqualTo("whole 503 overloaded");
        }
    }

    private static Route beats(Route route) {
        return once(route)
                .with(r -> r.heartbeat = Heartbeat.DEFAULT
                        .with(h -> h.interval = Duration.ofSeconds(1))
                        .with(h -> h.early = true));
    }
}
