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
    private static final long HOLD_LIMIT_NS = TimeUnit.SECONDS.toNanos(30);

    private final LoadClient client;
    private final Target mock;
    private final Cores cores = new Cores();
    private final List<Long> self = List.of(ProcessHandle.current().pid());

    Meter(LoadClient client, Target mock) {
        this.client = client;
        this.mock = mock;
    }

    /** Runs the load of the scenario once, without a measurement. */
    void warmUp(Scenario scenario, Target target) throws InterruptedException {
        var run = client.start(scenario.plan(target.address()));
        pause(scenario.times().ramp().plus(scenario.times().window()));
        run.stop();
        Clocks.settle(target, mock);
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
        var before = clocks(targets);
        pause(scenario.times().window());
        var usage = before.until(clocks(targets));
        run.endWindow();
        var report = run.stop();
        if (separate) {
            cores.share(targets, others());
        }
        Clocks.settle(target, mock);
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

    private Clocks clocks(List<Long> targets) {
        return Clocks.now(targets, mock.pids(), self);
    }

    private static @Nullable String flaw(Target target, LoadReport report, Usage usage) {
        if (report.frames() == 0) {
            return "no frame came";
        }
        return usage.flaw(target.peer() != Peer.DIRECT);
    }

    private static void pause(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }
}
