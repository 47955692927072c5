package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.Upstream.RetryBudget;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * One of two origins fails half of its requests, then all, then recovers, while streams begin at an even rate. Each
 * phase lasts until its event has happened. The short run is for every build; {@code -Dmillrace.drill=full} is the
 * whole drill: 200 streams a second for 30 s.
 *
 * <p>What an origin's failure says is forgotten after 15 s, which cannot be made shorter: hence the length of the short run.
 */
@Tag("sockets")
class OutageDrillTest {
    private static final String ANSWER = "tokens=5,gap_ms=10";
    private static final Drill DRILL =
            "full".equals(System.getProperty("millrace.drill")) ? new Drill(200, 1000, 6000) : new Drill(60, 30, 600);

    /** In which traffic leaves an origin that fails. */
    private static final Duration LEAVING = Duration.ofSeconds(1);

    /** Requests of a phase to an origin that traffic has left. */
    private static final int FEW = 3;

    /** An origin that happened to be slow is asked again within 15 s; this is for that to happen a few times. */
    private static final Duration AT_MOST = Duration.ofMinutes(1);

    private final Queue<String> complaints = new ConcurrentLinkedQueue<>();
    private final AtomicInteger streams = new AtomicInteger();

    /**
     * How much of it.
     *
     * @param perSecond streams that begin
     * @param phase streams in a phase, at the least
     * @param total streams in all, at the least
     */
    private record Drill(int perSecond, int phase, int total) {}

    @Test
    void noClientSeesAnOriginFailAndRecover() throws InterruptedException {
        long startNs = System.nanoTime();
        try (var sick = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse(ANSWER)));
                var sound = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse(ANSWER)));
                var relay = RelayHarness.serve(config(sick, sound))) {
            var clock = Executors.newSingleThreadScheduledExecutor();
            var clients = Executors.newCachedThreadPool();
            try {
                arrive(clock, clients, relay.addresses().get(0).getPort());
                until(streamsBegin(DRILL.phase()));
                fail(sick, relay);
                recover(sick);
                until(() -> streams.get() >= DRILL.total());
                clock.shutdownNow();
                assertThat(clock.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
                clients.shutdown();
                assertThat(clients.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
            } finally {
                clock.shutdownNow();
                clients.shutdownNow();
            }

            assertThat(complaints).isEmpty();
            long retries = sick.stats().requests() + sound.stats().requests() - streams.get();
            double seconds = (System.nanoTime() - startNs) / 1e9;
            var budget = RetryBudget.DEFAULT;
            assertThat(retries).isPositive();
            assertThat((double) retries).isLessThan(budget.ratio() * streams.get() + budget.perSecond() * seconds);
            await().until(() -> relay.metrics().activeExchanges() == 0);
            await().until(() -> relay.metrics().openConnections() == 0);
            await().until(() -> sick.stats().activeStreams() + sound.stats().activeStreams() == 0);
        }
    }

    /** The origin fails half of its requests until one was tried again, then all of them until traffic has left. */
    private void fail(MockServer sick, RelayServer relay) {
        sick.setSpec(MockSpec.parse(ANSWER + ",fail_rate=50,status=529"));
        var half = streamsBegin(DRILL.phase());
        until(() -> relay.metrics().retries() > 0);
        until(half);

        long before = sick.stats().requests();
        sick.setSpec(MockSpec.parse(ANSWER + ",reset_after=0"));
        var told = passes(LEAVING);
        until(() -> sick.stats().requests() > before || told.getAsBoolean());
        until(passes(LEAVING));
        assertThat(leastShare(sick))
                .as("requests to an origin that fails always")
                .isLessThanOrEqualTo(FEW);
    }

    /**
     * The requests to the origin in the first phase in which it gets few, or in the last. Where this machine is so busy that
     * the other origin fails an attempt too, such as by a connection that takes too long, both are asked alike until this
     * one is ejected. How soon traffic leaves is held by {@code OutageSimulationTest}, on a clock of its own.
     */
    private long leastShare(MockServer origin) {
        long deadlineNs = System.nanoTime() + AT_MOST.toNanos();
        long share;
        do {
            long before = origin.stats().requests();
            until(streamsBegin(DRILL.phase()));
            share = origin.stats().requests() - before;
        } while (share > FEW && System.nanoTime() - deadlineNs < 0);
        return share;
    }

    /** The origin is well again: it comes to have more than a tenth of what comes in a second. */
    private void recover(MockServer sick) {
        sick.setSpec(MockSpec.parse(ANSWER));
        long deadlineNs = System.nanoTime() + AT_MOST.toNanos();
        long share;
        do {
            long before = sick.stats().requests();
            until(streamsBegin(DRILL.perSecond()));
            share = sick.stats().requests() - before;
        } while (share <= DRILL.perSecond() / 10 && System.nanoTime() - deadlineNs < 0);
        assertThat(share)
                .as("requests in a second to the origin that has recovered")
                .isGreaterThan(DRILL.perSecond() / 10);
    }

    private static RelayConfig config(MockServer sick, MockServer sound) {
        return RelayConfig.relayTo(Upstream.of("pair", List.of(sick.uri(), sound.uri())))
                .with(c -> c.accessLog = AccessLog.OFF);
    }

    private void arrive(ScheduledExecutorService clock, ExecutorService clients, int port) {
        var unused = clock.scheduleAtFixedRate(
                () -> clients.execute(() -> stream(port)), 0, 1_000_000 / DRILL.perSecond(), TimeUnit.MICROSECONDS);
    }

    private BooleanSupplier streamsBegin(int count) {
        int until = streams.get() + count;
        return () -> streams.get() >= until;
    }

    private static BooleanSupplier passes(Duration time) {
        long fromNs = System.nanoTime();
        return () -> System.nanoTime() - fromNs >= time.toNanos();
    }

    private static void until(BooleanSupplier condition) {
        await().pollInterval(Duration.ofMillis(10)).atMost(AT_MOST).until(condition::getAsBoolean);
    }

    private void stream(int port) {
        streams.incrementAndGet();
        try (var client = new RawClient(port)) {
            client.post("/v1/chat/completions", "m", "");
            RawClient.Response response = client.readAll();
            boolean whole = response.status() == 200
                    && response.end() == RawClient.End.COMPLETE
                    && response.text().endsWith("data: [DONE]\n\n")
                    && !response.text().contains("\"error\"")
                    && response.text().contains("\"finish_reason\":\"stop\"");
            if (!whole) {
                complaints.add(response.toString() + response.text());
            }
        } catch (IOException e) {
            complaints.add(e.toString());
        }
    }
}
