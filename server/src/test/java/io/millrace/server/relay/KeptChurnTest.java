package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.access.Caller;
import io.millrace.server.config.Health;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.http.Target;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.replay.LogReader;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.ReplayMemory.GivenUp;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.millrace.server.test.FakeCall;
import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Many streams on one event loop, with all endings and too little memory for all: nothing of them is left. */
class KeptChurnTest {
    private static final int STREAMS = 10_000;
    private static final byte[] KEY =
            Caller.ANYONE.owner(new DefaultHttpHeaders(), Target.of(ExchangeBed.CHAT), Resume.DEFAULT);

    /** Reads until it has enough, if that is ever. */
    private static final class Reader implements LogReader {
        private long wanted;

        Reader(long wanted) {
            this.wanted = wanted;
        }

        @Override
        public boolean wants() {
            return wanted > 0;
        }

        @Override
        public void onBytes(ByteBuf bytes, long offset) {
            wanted -= bytes.readableBytes();
            bytes.release();
        }

        @Override
        public void onSealed(Seal seal, long end) {}

        @Override
        public void onGone(long oldest) {}
    }

    @Test
    void nothingIsLeft() {
        var random = new Random(1);
        // An eighth of the heap's part is for logs.
        var budget = new MemoryBudget(1 << 28, 8 << 20);
        try (var bed = new ExchangeBed(KeptChurnTest::detaching, KeptChurnTest::neverEjected, budget, "a")) {
            ReplayMemory logs = bed.loop.shared().logs();
            for (int i = 0; i < STREAMS; i++) {
                bed.renew();
                one(bed, random);
                if (i % 16 == 0) {
                    bed.pass(Duration.ZERO);
                }
            }
            bed.pass(Duration.ZERO);
            assertThat(logs.givenUp(GivenUp.ENDED)).isPositive();
            assertThat(logs.ended()).isPositive();
            assertThat(logs.live()).isZero();
            assertThat(logs.detached()).isZero();
            assertThat(bed.loop.relief().detached()).isEmpty();
            long laterNs = System.nanoTime() + Duration.ofMinutes(5).toNanos();
            bed.loop.streams().onSweep(laterNs);
            assertThat(bed.loop.streams().size()).isZero();
            assertThat(bed.loop.shared().names().size()).isZero();
            assertThat(bed.loop.sweeper().size()).isZero();
            assertThat(logs.held()).isZero();
            assertThat(logs.ended()).isZero();
            assertThat(logs.readers()).isZero();
            assertThat(bed.loop.memory().account().held(Held.Pool.BUFFERS)).isZero();
            assertThat(bed.upstreams.waiting()).isZero();
        }
    }

    private static void one(ExchangeBed bed, Random random) {
        Exchange exchange = bed.begin(ExchangeBed.CHAT, fields(random));
        bed.send(ExchangeBed.ASKS);
        exchange.onRequestEnd();
        FakeCall call = bed.stream();
        boolean left = random.nextInt(10) == 0;
        if (left) {
            exchange.onClientGone("before the answer");
        }
        read(call, random.nextInt(12));
        StreamLog log = log(bed);
        if (log != null && random.nextBoolean()) {
            log.attach(new Reader(random.nextInt(3000)), log.oldest());
        }
        if (!left && random.nextBoolean()) {
            exchange.onClientGone("in the answer");
        }
        read(call, random.nextInt(12));
        end(bed, exchange, call, random);
        if (random.nextInt(4) == 0 && bed.client.head() != null) {
            bed.loop.streams().stop(bed.header("x-millrace-stream"), KEY);
        }
        if (log != null && log.readers() > 0) {
            log.close();
        }
    }

    private static void end(ExchangeBed bed, Exchange exchange, FakeCall call, Random random) {
        switch (random.nextInt(6)) {
            case 0 -> exchange.end(OwnEnd.DRAIN, caller -> true);
            case 1 -> exchange.onMemoryShort();
            case 2 -> exchange.onSweep(System.nanoTime());
            case 3 -> read(call, 1);
            default -> {}
        }
        if (call.fate() == FakeCall.Fate.RUNNING && random.nextBoolean()) {
            call.breakOff(random.nextBoolean() ? Breakage.Kind.RESET : Breakage.Kind.TRUNCATED);
        }
        if (call.fate() == FakeCall.Fate.RUNNING) {
            call.read(ExchangeBed.DONE);
        }
        if (call.fate() == FakeCall.Fate.RUNNING) {
            call.end();
        }
        exchange.end(OwnEnd.DRAIN, caller -> true);
        assertThat(exchange.isOver()).isTrue();
        assertThat(bed.upstreams.waiting()).isZero();
    }

    private static void read(FakeCall call, int frames) {
        for (int i = 0; i < frames && call.fate() == FakeCall.Fate.RUNNING; i++) {
            call.read(ExchangeBed.OUTPUT);
        }
    }

    private static String[] fields(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> new String[] {"idempotency-key", "key-" + random.nextInt(Integer.MAX_VALUE) + "-0123456789"};
            case 1 -> new String[] {"prefer", "respond-async"};
            default -> new String[0];
        };
    }

    private static @Nullable StreamLog log(ExchangeBed bed) {
        var found = new ArrayList<Kept>();
        if (bed.client.head() != null && bed.header("x-millrace-stream") != null) {
            bed.loop.streams().whenKept(bed.header("x-millrace-stream"), KEY, found::add);
        }
        return found.isEmpty() || found.get(0) == null ? null : found.get(0).log();
    }

    private static Upstream neverEjected(Upstream upstream) {
        return upstream.with(u ->
                u.health = Health.DEFAULT.with(h -> h.consecutiveFailures = 0).with(h -> h.failureRate = 0));
    }

    private static Route detaching(Route route) {
        return route.with(r -> r.disconnect = Disconnect.DETACH).with(r -> r.retry = Retry.OFF);
    }
}
