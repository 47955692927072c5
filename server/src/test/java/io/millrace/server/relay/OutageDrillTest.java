package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.AccessLog;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RetryBudget;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.test.RawClient;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * One of two origins fails half of its requests, then all, then recovers, while streams keep coming at an even rate. The
 * short run is for every build; {@code -Dmillrace.drill=full} is the whole one: 200 streams a second for 30 s.
 *
 * <p>What an origin's failure says is forgotten after 15 s, which cannot be made shorter: hence the length of the short run.
 */
class OutageDrillTest {
    private static final String ANSWER = "tokens=5,gap_ms=10";
    private static final Drill DRILL = "full".equals(System.getProperty("millrace.drill"))
            ? new Drill(200, 5_000, 10_000, 15_000, 25_000, 30_000)
            : new Drill(60, 500, 1_200, 2_500, 17_500, 19_000);

    /** In which traffic must have left an origin that fails. */
    private static final long LEAVING_MS = 1_000;

    private final Queue<String> complaints = new ConcurrentLinkedQueue<>();
    private final AtomicInteger streams = new AtomicInteger();

    /**
     * How much of it.
     *
     * @param perSecond streams that begin
     * @param halfMs when an origin begins to fail half of its requests
     * @param allMs when it begins to fail all of them
     * @param soundMs when it has recovered
     * @param backMs when it must have its share again
     * @param endMs when the last stream begins
     */
    private record Drill(int perSecond, long halfMs, long allMs, long soundMs, long backMs, long endMs) {
        int streams() {
            return (int) (perSecond * endMs / 1000);
        }
    }

    @Test
    void noClientSeesAnOriginFailAndRecover() throws InterruptedException {
        try (var sick = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse(ANSWER)));
                var sound = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse(ANSWER)));
                var relay = RelayServer.start(config(sick, sound))) {
            var asked = run(sick, relay.addresses().get(0).getPort());

            assertThat(complaints).isEmpty();
            assertThat(streams.get()).isGreaterThan(DRILL.streams() * 9 / 10);
            assertThat(asked.get("recovering") - asked.get("left"))
                    .as("requests to an origin that fails always, a moment after it began to")
                    .isLessThanOrEqualTo(3);
            long lately = sick.stats().requests() - asked.get("late");
            assertThat(lately)
                    .as("requests to the origin that has recovered")
                    .isGreaterThan(DRILL.perSecond() * (DRILL.endMs() - DRILL.backMs()) / 10_000);
            long retries = sick.stats().requests() + sound.stats().requests() - streams.get();
            var budget = RetryBudget.DEFAULT;
            assertThat(retries).isPositive();
            assertThat((double) retries)
                    .isLessThan(budget.ratio() * streams.get() + budget.perSecond() * (DRILL.endMs() / 1000.0));
            await().until(() -> relay.metrics().activeExchanges() == 0);
            await().until(() -> relay.metrics().openConnections() == 0);
            assertThat(sick.stats().activeStreams() + sound.stats().activeStreams())
                    .isZero();
        }
    }

    private static RelayConfig config(MockServer sick, MockServer sound) {
        return RelayConfig.relayTo(Upstream.of("pair", List.of(sick.uri(), sound.uri())))
                .withAccessLog(AccessLog.OFF);
    }

    /** Runs the drill; how often the sick origin had been asked at its turning points. */
    private ConcurrentHashMap<String, Long> run(MockServer sick, int port) throws InterruptedException {
        var asked = new ConcurrentHashMap<String, Long>();
        var clock = Executors.newSingleThreadScheduledExecutor();
        var clients = Executors.newCachedThreadPool();
        try {
            var arrivals = clock.scheduleAtFixedRate(
                    () -> clients.execute(() -> stream(port)), 0, 1_000_000 / DRILL.perSecond(), TimeUnit.MICROSECONDS);
            at(clock, DRILL.halfMs(), () -> sick.setSpec(MockSpec.parse(ANSWER + ",fail_rate=50,status=529")));
            at(clock, DRILL.allMs(), () -> sick.setSpec(MockSpec.parse(ANSWER + ",reset_after=0")));
            at(
                    clock,
                    DRILL.allMs() + LEAVING_MS,
                    () -> asked.put("left", sick.stats().requests()));
            at(clock, DRILL.soundMs(), () -> {
                asked.put("recovering", sick.stats().requests());
                sick.setSpec(MockSpec.parse(ANSWER));
            });
            at(clock, DRILL.backMs(), () -> asked.put("late", sick.stats().requests()));
            var over = new CountDownLatch(1);
            at(clock, DRILL.endMs(), () -> {
                arrivals.cancel(false);
                over.countDown();
            });
            assertThat(over.await(2 * DRILL.endMs(), TimeUnit.MILLISECONDS)).isTrue();
            clients.shutdown();
            assertThat(clients.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
        } finally {
            clock.shutdownNow();
            clients.shutdownNow();
        }
        return asked;
    }

    private static void at(ScheduledExecutorService clock, long ms, Runnable act) {
        var unused = clock.schedule(act, ms, TimeUnit.MILLISECONDS);
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
