package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.millrace.server.EventLoopTimers;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Clients that come and go at random, in every dialect and at every moment. The short run is for every build;
 * {@code -Dmillrace.drill=full} is the whole drill: 1,000 clients for 20 s.
 */
@Tag("sockets")
class StormTest {
    private static final boolean FULL = "full".equals(System.getProperty("millrace.drill"));
    private static final int CLIENTS = FULL ? 1000 : 300;
    private static final Duration LENGTH = Duration.ofSeconds(FULL ? 20 : 4);
    private static final Duration LONGEST = Duration.ofMinutes(1);
    private static final int LONGEST_STAY_MS = FULL ? 4000 : 1500;
    private static final int THREADS = 4;
    private static final Duration IDLE = Duration.ofMillis(200);
    private static final List<Api> APIS = List.of(Api.values());
    private static final List<String> UPSTREAMS = List.of(
            "tokens=30,gap_ms=20,usage=1",
            "ttft_ms=300,tokens=5",
            "stall_head=1",
            "tokens=4,stall_after=2",
            "tokens=20");
    private static final Logger ACCESS = (Logger) LoggerFactory.getLogger("millrace.access");

    private final Queue<String> lines = new ConcurrentLinkedQueue<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            event.getFormattedMessage().lines().forEach(lines::add);
        }
    };
    private final AtomicLong failures = new AtomicLong();

    @BeforeEach
    void attach() {
        ACCESS.setAdditive(false);
        ACCESS.setLevel(Level.INFO);
        appender.setContext(ACCESS.getLoggerContext());
        appender.start();
        ACCESS.addAppender(appender);
    }

    @AfterEach
    void detach() {
        ACCESS.detachAppender(appender);
    }

    @Test
    void leavesNothingBehind() throws Exception {
        try (var harness = RelayHarness.start(MockConfig.defaults(), StormTest::configure)) {
            assertThat(EventLoopTimers.count(harness.relay)).isZero();
            storm(harness);

            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            await().until(() -> harness.relay.metrics().openConnections() == 0);
            await().until(() -> harness.mock.stats().activeStreams() == 0);
            assertThat(failures).hasValue(0);
            long gone = harness.relay.metrics().exchanges("client_gone");
            long completed = harness.relay.metrics().exchanges("completed");
            assertThat(gone).isGreaterThan(CLIENTS);
            assertThat(completed).isPositive();
            // Clients that leave are no fault of the origin's.
            assertThat(new String(harness.relay.metrics().text(), StandardCharsets.UTF_8))
                    .containsPattern("millrace_origin_ejections_total\\{[^}]*} 0\\.0")
                    .containsPattern("millrace_origin_[a-z_]*in_flight\\{[^}]*} 0\\.0");
            // Each of them is told of, once, and each ended by its client's will or well.
            await().untilAsserted(() -> assertThat(lines).hasSize((int) (gone + completed)));
            assertThat(lines)
                    .filteredOn(line -> !line.contains("\"output_frames\":0,"))
                    .isNotEmpty()
                    .allMatch(line -> line.contains("\"usage\":\"partial\"") || line.contains("\"usage\":\"exact\""));
            // Once the pooled connections have been idle long enough, nothing is watched and nothing is waited for.
            await().until(() -> harness.mock.stats().openConnections() == 0);
            await().until(() -> EventLoopTimers.count(harness.relay) == 0);
        }
    }

    private static RelayConfig configure(RelayConfig config) {
        var upstreams = new LinkedHashMap<String, Upstream>();
        config.upstreams().forEach((name, upstream) -> upstreams.put(name, upstream.with(t -> t.idle = IDLE)));
        return config.with(c -> c.upstreams = upstreams)
                .with(c -> c.accessLog = AccessLog.DEFAULT)
                .with(c -> c.eventLoops = 2);
    }

    private void storm(RelayHarness harness) throws InterruptedException {
        var clock = Executors.newScheduledThreadPool(THREADS);
        try {
            long startNs = System.nanoTime();
            BooleanSupplier over = () -> isOver(harness, System.nanoTime() - startNs);
            var gone = new CountDownLatch(CLIENTS);
            for (int i = 0; i < CLIENTS; i++) {
                later(clock, LONGEST_STAY_MS, () -> come(clock, harness.port(), over, gone));
            }
            assertThat(gone.await(2 * LONGEST.toMillis(), TimeUnit.MILLISECONDS))
                    .isTrue();
        } finally {
            clock.shutdownNow();
        }
    }

    /** After its time, and when it has been a storm: a slow machine needs longer. */
    private static boolean isOver(RelayHarness harness, long forNs) {
        var metrics = harness.relay.metrics();
        boolean wasOne = metrics.exchanges("client_gone") > CLIENTS && metrics.exchanges("completed") > 0;
        return forNs > (wasOne ? LENGTH : LONGEST).toNanos();
    }

    /** One visit, and the next when it is over. */
    private void come(ScheduledExecutorService clock, int port, BooleanSupplier over, CountDownLatch gone) {
        if (over.getAsBoolean()) {
            gone.countDown();
            return;
        }
        var random = ThreadLocalRandom.current();
        Api api = APIS.get(random.nextInt(APIS.size()));
        String spec = UPSTREAMS.get(random.nextInt(UPSTREAMS.size()));
        try {
            var client = new RawClient(port);
            client.post(RelayHarness.withSpec(api.path, spec), "m", "");
            boolean reset = random.nextBoolean();
            later(clock, LONGEST_STAY_MS, () -> {
                leave(client, reset);
                come(clock, port, over, gone);
            });
        } catch (IOException e) {
            failures.incrementAndGet();
            gone.countDown();
        }
    }

    private void leave(RawClient client, boolean reset) {
        try {
            if (reset) {
                client.reset();
            } else {
                client.close();
            }
        } catch (IOException e) {
            failures.incrementAndGet();
        }
    }

    private static void later(ScheduledExecutorService clock, int atMostMs, Runnable act) {
        var unused = clock.schedule(act, ThreadLocalRandom.current().nextInt(atMostMs), TimeUnit.MILLISECONDS);
    }
}
