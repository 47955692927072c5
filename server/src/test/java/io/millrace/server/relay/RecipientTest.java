package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.access.Caller;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.http.Target;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.replay.LogReader;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.millrace.server.test.FakeCall;
import io.millrace.server.test.FakeClientStream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is kept of an answer, and whether it goes on without its client; without sockets. */
class RecipientTest {
    private static final String PING = ": ping\n\n";

    /** Takes all that a log has. */
    private static final class Text implements LogReader {
        private final StringBuilder text = new StringBuilder();

        static String of(StreamLog log) {
            var reader = new Text();
            log.attach(reader, log.oldest());
            log.detach(reader);
            return reader.text.toString();
        }

        @Override
        public boolean wants() {
            return true;
        }

        @Override
        public void onBytes(ByteBuf bytes, long offset) {
            text.append(bytes.toString(StandardCharsets.UTF_8));
            bytes.release();
        }

        @Override
        public void onSealed(Seal seal, long end) {}

        @Override
        public void onGone(long oldest) {}
    }

    @Test
    void aClientThatLeavesBeforeTheFirstOutputEndsTheRequest() {
        try (var bed = bed()) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.stream();
            exchange.onClientGone("left");
            assertThat(call.fate()).isEqualTo(FakeCall.Fate.ABORTED);
            assertThat(bed.end()).endsWith("client_gone");
        }
    }

    /** Between two frames, and at any place inside of the second. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 30})
    void aClientThatLeavesLaterMissesNothing(int had) {
        try (var bed = bed()) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.stream();
            call.read(ExchangeBed.OUTPUT + ExchangeBed.OUTPUT.substring(0, had));
            exchange.onClientGone("left");
            assertThat(call.fate()).isEqualTo(FakeCall.Fate.RUNNING);
            call.read(ExchangeBed.OUTPUT.substring(had) + ExchangeBed.DONE);
            call.end();
            assertThat(bed.end()).endsWith("completed");
            StreamLog log = log(bed);
            assertThat(Text.of(log)).isEqualTo(ExchangeBed.OUTPUT + ExchangeBed.OUTPUT + ExchangeBed.DONE);
            assertThat(log.seal()).isEqualTo(Seal.CLEAN);
            bed.loop.streams().close();
        }
    }

    /** The relay stops, or the key of the client was taken away: who reads is told, and the upstream is let go. */
    @ParameterizedTest
    @CsvSource({"DRAIN, relay_draining, drained", "REVOKED, key_revoked, refused"})
    void aStreamWithoutItsClientIsEndedAndTold(OwnEnd why, String code, String outcome) {
        try (var bed = bed()) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.stream();
            call.read(ExchangeBed.OUTPUT);
            StreamLog log = log(bed);
            exchange.onClientGone("left");
            exchange.end(why, caller -> false);
            assertThat(call.fate()).isEqualTo(FakeCall.Fate.RUNNING);
            assertThat(bed.loop.shared().logs().detached()).isEqualTo(1);
            exchange.end(why, caller -> true);
            assertThat(call.fate()).isEqualTo(FakeCall.Fate.ABORTED);
            assertThat(Text.of(log))
                    .startsWith(ExchangeBed.OUTPUT + "data: {\"error\"")
                    .contains(code);
            assertThat(log.seal()).isEqualTo(Seal.FAILED);
            assertThat(bed.end()).endsWith(outcome);
            assertGone(bed);
        }
    }

    /** Too much memory is held. A stream without a client goes before one that has a client. */
    @Test
    void aStreamWithoutItsClientGoesFirstWhereMemoryIsShort() {
        var budget = new MemoryBudget(20_000, 1 << 20);
        try (var bed = new ExchangeBed(RecipientTest::detaching, upstream -> upstream, budget, "a")) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.stream();
            call.read(ExchangeBed.OUTPUT);
            StreamLog log = log(bed);
            exchange.onClientGone("left");
            call.read("data: " + "x".repeat(19_000));
            assertThat(exchange.held(Held.Pool.BUFFERS)).isGreaterThan(19_000);
            bed.loop.relief().ask();
            bed.pass(Duration.ZERO);
            assertThat(call.fate()).as("within the budget").isEqualTo(FakeCall.Fate.RUNNING);
            call.read("x".repeat(2_000));
            bed.pass(Duration.ZERO);
            assertThat(call.fate()).isEqualTo(FakeCall.Fate.ABORTED);
            assertThat(log.seal()).isEqualTo(Seal.BROKEN);
            assertThat(bed.end()).endsWith("overloaded");
            assertGone(bed);
            assertThat(bed.loop.memory().account().held(Held.Pool.BUFFERS)).isZero();
        }
    }

    /** Who waits for a stream gets heartbeats; while nobody waits there are none, and a failure keeps its status. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void heartbeatsBeforeTheAnswerAreForWhoWaits(boolean waits) {
        UnaryOperator<Route> early = route -> detaching(route)
                .with(r -> r.heartbeat = Heartbeat.DEFAULT.with(h -> h.early = true))
                .with(r -> r.retry = Retry.OFF);
        try (var bed = new ExchangeBed(early, "a")) {
            Exchange exchange = bed.begin(ExchangeBed.CHAT, "prefer", "respond-async");
            bed.send(ExchangeBed.ASKS);
            exchange.onRequestEnd();
            assertThat(bed.client.status()).isEqualTo(202);
            var found = new ArrayList<Kept>();
            var reader = new Text();
            if (waits) {
                whenKept(bed, kept -> {
                    found.add(kept);
                    kept.log().attach(reader, 0);
                });
            }
            long dueNs = System.nanoTime() + Heartbeat.DEFAULT.interval().toNanos();
            exchange.onSweep(dueNs - 1_000_000_000);
            assertThat(found).isEmpty();
            exchange.onSweep(dueNs + 1_000_000_000);
            assertThat(reader.text.toString()).isEqualTo(waits ? PING : "");
            bed.answer(500);
            if (!waits) {
                whenKept(bed, found::add);
            }
            Kept kept = found.get(0);
            assertThat(kept.head().status()).isEqualTo(waits ? 200 : 500);
            assertThat(kept.log().seal()).isEqualTo(waits ? Seal.FAILED : Seal.CLEAN);
            assertThat(Text.of(kept.log())).startsWith(waits ? PING + "data: {\"error\"" : "from 500");
            assertGone(bed);
        }
    }

    /** A failed attempt's frames are in no log. Heartbeats before the first output are, and are counted once. */
    @Test
    void keepsHeartbeatsBeforeTheAnswerAndNoFailedAttempt() {
        var client = new FakeClientStream();
        var memory = new ReplayMemory(1 << 20);
        var log = new StreamLog(client.alloc(), memory, 1 << 20, Runnable::run);
        var early = new LoggedSink(client.alloc(), null);
        early.begin(log, null, 0);
        append(early, PING);
        early.write();
        var answer = new LoggedSink(client.alloc(), null);
        append(answer, "data: of a failed attempt\n\n");
        answer.discard();
        assertThat(answer.bodyBytes()).isZero();
        assertThat(answer.pendingBytes()).isZero();
        append(answer, ExchangeBed.OUTPUT);
        answer.begin(log, null, early.bodyBytes());
        append(answer, ExchangeBed.DONE);
        String whole = PING + ExchangeBed.OUTPUT + ExchangeBed.DONE;
        assertThat(Text.of(log)).isEqualTo(whole);
        assertThat(answer.bodyBytes()).isEqualTo(whole.length()).isEqualTo(log.tail());
        log.close();
        assertThat(memory.held()).isZero();
    }

    private static StreamLog log(ExchangeBed bed) {
        var found = new ArrayList<Kept>();
        whenKept(bed, found::add);
        return found.get(0).log();
    }

    private static void whenKept(ExchangeBed bed, Consumer<@Nullable Kept> told) {
        byte[] key = Caller.ANYONE.owner(new DefaultHttpHeaders(), Target.of(ExchangeBed.CHAT), Resume.DEFAULT);
        bed.loop.streams().whenKept(bed.header("x-millrace-stream"), key, told::accept);
    }

    /** Nothing of a stream without its client is left but its log. */
    private static void assertGone(ExchangeBed bed) {
        assertThat(bed.loop.relief().detached()).isEmpty();
        ReplayMemory logs = bed.loop.shared().logs();
        assertThat(logs.detached()).isZero();
        bed.loop.streams().close();
        assertThat(bed.loop.streams().size()).isZero();
        assertThat(bed.loop.sweeper().size()).isZero();
        assertThat(logs.held()).isZero();
    }

    private static void append(LoggedSink sink, String text) {
        ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        sink.append(bytes, 0, bytes.readableBytes());
        bytes.release();
    }

    private static Route detaching(Route route) {
        return route.with(r -> r.disconnect = Disconnect.DETACH);
    }

    private static ExchangeBed bed() {
        return new ExchangeBed(RecipientTest::detaching, "a");
    }
}
