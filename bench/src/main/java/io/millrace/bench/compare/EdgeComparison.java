package io.millrace.bench.compare;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** One run over TLS and HTTP/2, and without TLS for comparison: each round puts every load on every target. */
final class EdgeComparison {
    /** A JVM drops what it compiled for one protocol when another one comes, and compiles it again for both. */
    private static final int WARM_UP_ROUNDS = 3;

    private final Launcher launcher;
    private final Path configs;
    private final EdgeScenarios scenarios;
    private final Set<String> names;
    private final List<Peer> peers;
    private final int rounds;
    private final PrintWriter progress;
    private final List<Measurement> measurements = new ArrayList<>();

    /**
     * @param configs the directory that has the client of handshakes
     * @param names of {@link EdgeScenarios#NAMES}
     * @param progress receives a line for each measurement
     */
    EdgeComparison(
            Launcher launcher,
            Path configs,
            EdgeScenarios scenarios,
            Set<String> names,
            List<Peer> peers,
            int rounds,
            PrintWriter progress) {
        this.launcher = launcher;
        this.configs = configs;
        this.scenarios = scenarios;
        this.names = names;
        this.peers = peers;
        this.rounds = rounds;
        this.progress = progress;
    }

    List<Measurement> run() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("millrace-h2load");
        var mock = launcher.startMock();
        try {
            var meter = new EdgeMeter(mock, directory);
            costs(meter, mock);
            idle(meter, mock);
        } finally {
            launcher.stop(mock);
            Target.delete(directory);
        }
        return measurements;
    }

    private void costs(EdgeMeter meter, Target mock) throws IOException, InterruptedException {
        if (names.equals(Set.of("idle"))) {
            return;
        }
        Map<Peer, Target> targets = new EnumMap<>(Peer.class);
        try {
            for (var peer : peers) {
                var target = launcher.start(peer, mock.port(), 1);
                targets.put(peer, target);
                if (peer == Peer.MILLRACE || peer == Peer.BEFORE) {
                    warmUp(meter, target);
                }
            }
            for (int round = 1; round <= rounds; round++) {
                var turns = Comparison.turns(targets.values(), round);
                loads(meter, turns, round);
                beside(meter, turns, round);
                handshakes(meter, turns, round);
            }
        } finally {
            targets.values().forEach(launcher::stop);
        }
    }

    private void loads(EdgeMeter meter, List<Target> targets, int round) throws IOException, InterruptedException {
        if (!names.contains("tls")) {
            return;
        }
        for (var load : List.of(scenarios.frames(), scenarios.shorts())) {
            for (var protocol : ClientProtocol.values()) {
                for (var target : targets) {
                    if (speaks(target.peer(), protocol)) {
                        note(meter.measure(new EdgeScenario(load, protocol), target, round));
                    }
                }
            }
        }
    }

    private void beside(EdgeMeter meter, List<Target> targets, int round) throws IOException, InterruptedException {
        if (!names.contains("beside")) {
            return;
        }
        for (var protocol : ClientProtocol.values()) {
            var able = targets.stream()
                    .filter(target -> speaks(target.peer(), protocol))
                    .toList();
            meter.measureBeside(new EdgeScenario(scenarios.beside(), protocol), able, round)
                    .forEach(this::note);
        }
    }

    private void handshakes(EdgeMeter meter, List<Target> targets, int round) throws IOException, InterruptedException {
        if (!names.contains("handshakes")) {
            return;
        }
        for (var kind : Handshakes.values()) {
            for (var target : targets) {
                if (target.peer() != Peer.BEFORE) {
                    note(meter.connect(kind, configs, target, scenarios.handshakes(), round));
                }
            }
        }
    }

    /** Measures idle streams once, in a fresh process each. Memory differs little from round to round. */
    private void idle(EdgeMeter meter, Target mock) throws IOException, InterruptedException {
        if (!names.contains("idle")) {
            return;
        }
        for (var protocol : ClientProtocol.values()) {
            for (var peer : peers) {
                if (speaks(peer, protocol)) {
                    var target = launcher.start(peer, mock.port(), 1);
                    try {
                        meter.warmUp(new EdgeScenario(scenarios.idleWarmUp(), protocol), target);
                        note(meter.hold(new EdgeScenario(scenarios.idle(), protocol), target));
                    } finally {
                        launcher.stop(target);
                    }
                }
            }
        }
    }

    private void warmUp(EdgeMeter meter, Target target) throws IOException, InterruptedException {
        for (int round = 1; round <= WARM_UP_ROUNDS; round++) {
            say("warming up " + target.peer().label() + ", round " + round);
            for (var protocol : ClientProtocol.values()) {
                for (var load : scenarios.warmUp()) {
                    if (speaks(target.peer(), protocol)) {
                        meter.warmUp(new EdgeScenario(load, protocol), target);
                    }
                }
            }
        }
    }

    /** Whether the peer speaks the protocol. An earlier Millrace may know neither TLS nor HTTP/2. */
    private static boolean speaks(Peer peer, ClientProtocol protocol) {
        return peer != Peer.BEFORE || !protocol.tls();
    }

    private void note(Measurement measured) {
        measurements.add(measured);
        say(String.format(
                Locale.ROOT,
                "round %d, %s, %s: %,d frames, %,d streams in %.2f CPU s of %.1f s, cores %.2f mock %.2f client"
                        + " %.2f foreign, %d held in %d KiB, %d lost%s",
                measured.round(),
                measured.scenario(),
                measured.target().label(),
                measured.frames(),
                measured.streamsEnded(),
                measured.targetCpuSeconds(),
                measured.windowSeconds(),
                measured.mockCores(),
                measured.clientCores(),
                measured.foreignCores(),
                measured.held(),
                measured.residentKiB() - measured.residentBeforeKiB(),
                measured.lost(),
                measured.flaw() == null ? "" : "; void: " + measured.flaw()));
    }

    private void say(String what) {
        progress.println(what);
        progress.flush();
    }
}
