package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.StreamNames;
import io.millrace.server.telemetry.AccessLogger;
import io.millrace.server.telemetry.LoopCounters;
import io.millrace.server.telemetry.Metrics;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Tracing;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.FakeUpstreams;
import io.millrace.server.timing.Sweeper;
import io.netty.channel.DefaultEventLoop;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.slf4j.helpers.NOPLogger;

/** Exchanges whose first output is not flushed when they end: each is counted and logged, whatever comes next. */
class RelayLoopTest {
    private static final Duration NOW = Duration.ZERO;

    @Test
    void logsWhatEndsInTheTurnInWhichItsLoopIsClosed() {
        try (var lines = new AccessLines("millrace.usage");
                var bed = bed()) {
            bed.ask();
            bed.stream().read(ExchangeBed.OUTPUT + ExchangeBed.DONE);
            bed.loop.closeLogs();
            assertThat(lines.all()).as("its line waits for a flush").isEmpty();
            bed.pass(NOW);
            assertThat(bed.end()).isEqualTo("whole 200 completed");
            assertThat(lines.all()).hasSize(1);
        }
    }

    @Test
    void logsWhoseClientGoesAfterItsLogsAreClosed() {
        try (var lines = new AccessLines("millrace.usage");
                var bed = bed()) {
            Exchange exchange = bed.ask();
            bed.stream().read(ExchangeBed.OUTPUT);
            bed.loop.closeLogs();
            exchange.onClientGone("the relay closes it");
            bed.pass(NOW);
            assertThat(bed.end()).isEqualTo("open 200 client_gone");
            assertThat(lines.all()).hasSize(1);
        }
    }

    /** With a client that takes nothing. */
    private static ExchangeBed bed() {
        var bed = new ExchangeBed(route -> route, "a");
        bed.loop.usageLogger().settings(new UsageLog(Path.of("unused"), 0));
        bed.client.takesNothing(true);
        return bed;
    }

    @Test
    void countsWhatEndsAfterItsLoop() {
        var ended = new DefaultEventLoop();
        var sweeper = new Sweeper(ended, TimeUnit.HOURS.toNanos(1));
        var log = new AccessLogger(NOPLogger.NOP_LOGGER, sweeper, AccessLog.OFF);
        var shared = new RelayLoop.Shared(
                new ReplayMemory(1 << 20), new StreamNames(), List.of(), null, 1, () -> Resume.DEFAULT, Tracing.OFF);
        var memory = new MemoryAccount(1, MemoryBudget.ofJvm());
        var counters = new LoopCounters();
        var loop = RelayLoop.of(0, ended, new FakeUpstreams(), sweeper, counters, log, memory.loop(0), shared);
        ended.shutdownGracefully(0, 0, TimeUnit.SECONDS).awaitUninterruptibly();
        counters.began();
        Summary summary = Summary.refused(null, Protocol.HTTP_1_1, null, "POST", "/v1/files", 502, "a test");
        summary.timeline().firstOutputNs = 1;
        loop.onEnded(summary);
        var metrics = new Metrics(List.of(counters), 1, memory, Map::of);
        assertThat(metrics.activeExchanges()).isZero();
        assertThat(metrics.exchanges(Outcome.REFUSED.label())).isEqualTo(1);
    }
}
