package io.millrace.bench.compare;

import io.millrace.bench.compare.Measurement.Holding;
import io.millrace.bench.compare.Measurement.Usage;
import io.millrace.bench.load.LoadClient;
import io.millrace.bench.load.LoadReport;
import io.millrace.bench.load.LoadRun;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Puts a load on a target and measures what it costs. */
final class Meter {
    /**
     * If the mock or the client uses more than this share of its processor, the figures may be those of the mock or the
     * client.
     */
    private static final double MOST_CORES = 0.7;

    private static final long HOLD_LIMIT_NS = TimeUnit.SECONDS.toNanos(30);
    private static final int SETTLE_CHECKS = 20;
    private static final int SETTLE_MS = 200;
    private static final double IDLE_CORES = 0.15;

    private final LoadClient client;
    private final Target mock;
    private final Cores cores = new Cores();
    private final List<Long> self = List.of(ProcessHandle.current().pid());

    Meter(LoadClient client, Target mock) {
        this.client = client;
        this.mock = mock;
    }

    private record Snapshot(long timeNs, long targetNs, long mockNs, long clientNs, long busyNs) {}

    /** Runs the load of the scenario once, without a measurement. */
    void warmUp(Scenario scenario, Target target) throws InterruptedException {
        var run = client.start(scenario.plan(target.address()));
        pause(scenario.times().ramp().plus(scenario.times().window()));
        run.stop();
        settle(target);
    }

    /** Measures what frames and streams cost. */
    Measurement measure(Scenario scenario, Target target, int round, int eventLoops)
            throws IOException, InterruptedException {
        boolean separate = scenario.separate() && cores.canSeparate();
        var targets = target.peer() == Peer.DIRECT ? List.<Long>of() : target.pids();
        if (separate) {
            cores.separate(targets, others());
        }
        var run = client.start(scenario.plan(target.address()));
        pause(scenario.times().ramp().plus(scenario.times().warmUp()));
        run.beginWindow();
        var before = snapshot(targets);
        pause(scenario.times().window());
        var after = snapshot(targets);
        run.endWindow();
        var report = run.stop();
        if (separate) {
            cores.share(targets, others());
        }
        settle(target);
        var usage = usage(before, after);
        return Measurement.of(
                scenario, target, round, eventLoops, report, usage, Holding.NONE, flaw(target, report, usage));
    }

    /** Measures the memory of streams that are open and silent. */
    Measurement hold(Scenario scenario, Target target, int round) throws InterruptedException {
        long residentBefore = Proc.residentKiB(target.pids());
        var run = client.start(scenario.plan(target.address()));
        int held = awaitStreaming(run, scenario);
        pause(scenario.times().warmUp());
        long resident = Proc.residentKiB(target.pids());
        held = Math.min(held, run.progress().streaming());
        var report = run.stop();
        String flaw = held < scenario.streams() ? "held only " + held + " of " + scenario.streams() + " streams" : null;
        return Measurement.of(
                scenario, target, round, 1, report, Usage.NONE, new Holding(held, resident, residentBefore), flaw);
    }

    private static int awaitStreaming(LoadRun run, Scenario scenario) throws InterruptedException {
        long beginNs = System.nanoTime();
        int streaming = 0;
        while (streaming < scenario.streams() && System.nanoTime() - beginNs < HOLD_LIMIT_NS) {
            TimeUnit.MILLISECONDS.sleep(50);
            streaming = run.progress().streaming();
        }
        return streaming;
    }

    private List<Long> others() {
        return List.of(mock.pids().get(0), self.get(0));
    }

    private Snapshot snapshot(List<Long> targets) {
        return new Snapshot(
                System.nanoTime(), Proc.cpuNs(targets), Proc.cpuNs(mock.pids()), Proc.cpuNs(self), Proc.busyNs());
    }

    private static Usage usage(Snapshot before, Snapshot after) {
        double ns = after.timeNs - before.timeNs;
        long target = after.targetNs - before.targetNs;
        long mock = after.mockNs - before.mockNs;
        long client = after.clientNs - before.clientNs;
        long foreign = Math.max(0, after.busyNs - before.busyNs - target - mock - client);
        return new Usage(target / 1e9, mock / ns, client / ns, foreign / ns);
    }

    private static @Nullable String flaw(Target target, LoadReport report, Usage usage) {
        if (report.frames() == 0) {
            return "no frame came";
        }
        if (usage.mockCores() > MOST_CORES) {
            return String.format("the mock used %.0f%% of a processor", 100 * usage.mockCores());
        }
        if (usage.clientCores() > MOST_CORES) {
            return String.format("the client used %.0f%% of a processor", 100 * usage.clientCores());
        }
        boolean free = target.peer() != Peer.DIRECT && usage.targetCpuSeconds() == 0;
        return free ? "the window was too short to see processor time" : null;
    }

    /** Waits for a limited time until the target has finished with the end of its streams. */
    private void settle(Target target) throws InterruptedException {
        for (int i = 0; i < SETTLE_CHECKS; i++) {
            long before = Proc.cpuNs(target.pids()) + Proc.cpuNs(mock.pids());
            TimeUnit.MILLISECONDS.sleep(SETTLE_MS);
            long used = Proc.cpuNs(target.pids()) + Proc.cpuNs(mock.pids()) - before;
            if (used < IDLE_CORES * TimeUnit.MILLISECONDS.toNanos(SETTLE_MS)) {
                return;
            }
        }
    }

    private static void pause(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }
}
