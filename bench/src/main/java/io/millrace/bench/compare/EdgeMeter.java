package io.millrace.bench.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.bench.compare.Measurement.Holding;
import io.millrace.bench.compare.Measurement.Usage;
import io.millrace.bench.load.LoadPlan;
import io.millrace.bench.load.LoadReport;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Puts a load of h2load on a target and measures what it costs. The mock counts the frames and the streams. */
final class EdgeMeter {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Silent streams are open by then. A fresh process on a busy machine needs many times the ramp for its handshakes. */
    private static final long OPEN_LIMIT_NS = TimeUnit.SECONDS.toNanos(30);

    private final Target mock;
    private final Path directory;
    private final Cores cores = new Cores();

    /**
     * A meter of targets in front of a mock.
     *
     * @param directory for h2load's files
     */
    EdgeMeter(Target mock, Path directory) {
        this.mock = mock;
        this.directory = directory;
    }

    /** The counters of the mock. */
    private record Counts(long frames, long completed, long active) {}

    /** Runs a load without a measurement. */
    void warmUp(EdgeScenario scenario, Target target) throws IOException, InterruptedException {
        try (var client = H2load.start(scenario, target, directory)) {
            client.await();
        }
        Clocks.settle(target, mock);
    }

    /** Measures what frames and streams cost. */
    Measurement measure(EdgeScenario scenario, Target target, int round) throws IOException, InterruptedException {
        var times = scenario.load().times();
        boolean separate = scenario.load().separate() && cores.canSeparate();
        try (var client = H2load.start(scenario, target, directory)) {
            var clients = List.of(client.pid());
            if (separate) {
                cores.separate(target.pids(), List.of(mock.pids().get(0), client.pid()));
            }
            pause(times.ramp().plus(times.warmUp()));
            var countsBefore = counts();
            var before = Clocks.now(target.pids(), mock.pids(), clients);
            pause(times.window());
            var after = Clocks.now(target.pids(), mock.pids(), clients);
            var counts = counts();
            boolean early = !client.isAlive();
            long lost = client.await();
            if (separate) {
                cores.share(target.pids(), List.of(mock.pids().get(0)));
            }
            Clocks.settle(target, mock);
            var usage = before.until(after);
            var report = report(
                    after.timeNs() - before.timeNs(),
                    counts.frames - countsBefore.frames,
                    counts.completed - countsBefore.completed,
                    lost);
            String flaw = early ? "the load ended within the window" : usage.flawOfCosts();
            return Measurement.of(scenario.named(), target, round, 1, report, usage, Holding.NONE, flaw);
        }
    }

    /**
     * Measures what frames cost several targets at the same time, on one processor if there is another one for mock and
     * clients. Each target has as many streams, so each has passed an equal part of the frames.
     */
    List<Measurement> measureBeside(EdgeScenario scenario, List<Target> targets, int round)
            throws IOException, InterruptedException {
        var times = scenario.load().times();
        var clients = new ArrayList<H2load>();
        try {
            for (var target : targets) {
                clients.add(H2load.start(
                        scenario,
                        target,
                        Files.createDirectories(directory.resolve(target.peer().label()))));
            }
            var others = new ArrayList<>(List.of(mock.pids().get(0)));
            clients.forEach(client -> others.add(client.pid()));
            if (cores.canSeparate()) {
                cores.separate(
                        targets.stream()
                                .flatMap(target -> target.pids().stream())
                                .toList(),
                        others);
            }
            pause(times.ramp().plus(times.warmUp()));
            var countsBefore = counts();
            var before = clocks(targets, others);
            pause(times.window());
            var after = clocks(targets, others);
            long frames = counts().frames - countsBefore.frames;
            boolean early = !clients.stream().allMatch(H2load::isAlive);
            var measured = new ArrayList<Measurement>();
            for (int i = 0; i < targets.size(); i++) {
                long lost = clients.get(i).await();
                var usage = before.get(i).until(after.get(i));
                var report = report(after.get(i).timeNs() - before.get(i).timeNs(), frames / targets.size(), 0, lost);
                String flaw = early ? "the load ended within the window" : usage.flawOfCosts();
                measured.add(
                        Measurement.of(scenario.named(), targets.get(i), round, 1, report, usage, Holding.NONE, flaw));
            }
            for (var target : targets) {
                cores.share(target.pids(), List.of(mock.pids().get(0)));
                Clocks.settle(target, mock);
            }
            return measured;
        } finally {
            clients.forEach(H2load::close);
        }
    }

    /**
     * The time of each target. That of the mock and all clients is the mock's, for they share a processor. That of the
     * other targets is the client's, and not that of something foreign.
     */
    private static List<Clocks> clocks(List<Target> targets, List<Long> others) {
        var clocks = new ArrayList<Clocks>();
        for (var target : targets) {
            var beside = targets.stream()
                    .filter(other -> other.peer() != target.peer())
                    .flatMap(other -> other.pids().stream())
                    .toList();
            clocks.add(Clocks.now(target.pids(), others, beside));
        }
        return clocks;
    }

    /** Measures the memory of streams that are open and silent. */
    Measurement hold(EdgeScenario scenario, Target target) throws IOException, InterruptedException {
        var times = scenario.load().times();
        int streams = scenario.load().streams();
        long before = Proc.residentKiB(target.pids());
        try (var client = H2load.start(scenario, target, directory)) {
            long beginNs = System.nanoTime();
            while (client.isAlive() && counts().active < streams && System.nanoTime() - beginNs < OPEN_LIMIT_NS) {
                pause(Duration.ofMillis(50));
            }
            pause(times.warmUp());
            int held = (int) counts().active;
            var holding = new Holding(held, Proc.residentKiB(target.pids()), before);
            String flaw = held < streams ? "held only " + held + " of " + streams + " streams" : null;
            return Measurement.of(scenario.named(), target, 1, 1, report(0, 0, 0, 0), Usage.NONE, holding, flaw);
        }
    }

    /** Measures what connections cost. Each one counts as a stream. */
    Measurement connect(Handshakes kind, Path configs, Target target, Duration time, int round)
            throws IOException, InterruptedException {
        List<Long> nobody = List.of();
        var before = Clocks.now(target.pids(), mock.pids(), nobody);
        var done = kind.run(configs, target, time);
        Clocks.settle(target, mock);
        var after = Clocks.now(target.pids(), mock.pids(), nobody);
        var usage = before.until(after);
        boolean whole = kind != Handshakes.RESUMED || done.resumed() == done.connections();
        String flaw = whole ? usage.flawOfCosts() : "resumed " + done.resumed() + " of " + done.connections();
        var report = report(after.timeNs() - before.timeNs(), 0, done.connections(), 0);
        var scenario = new Scenario(
                kind.label(), 1, "", LoadPlan.ANY, new Scenario.Times(Duration.ZERO, Duration.ZERO, time), false);
        return Measurement.of(scenario, target, round, 1, report, usage, Holding.NONE, flaw);
    }

    private static LoadReport report(long windowNs, long frames, long streams, long lost) {
        var none = new Histogram(1);
        Map<String, Long> failures = lost == 0 ? Map.of() : Map.of("as h2load counts", lost);
        return new LoadReport(windowNs, frames, streams, none, none, streams, 0, 0, 0, failures);
    }

    private Counts counts() throws IOException {
        var stats =
                URI.create("http://127.0.0.1:" + mock.port() + "/__mock/stats").toURL();
        try (var in = stats.openStream()) {
            var counts = JSON.readTree(in);
            return new Counts(
                    counts.path("frames").asLong(),
                    counts.path("streams_completed").asLong(),
                    counts.path("active_streams").asLong());
        }
    }

    private static void pause(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }
}
