package io.millrace.bench.compare;

import io.millrace.bench.load.LoadClient;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * One run: each round puts every load on every target, one target after another. Each round begins with another target.
 */
final class Comparison {
    private final Launcher launcher;
    private final Scenarios scenarios;
    private final Set<String> names;
    private final List<Peer> peers;
    private final int rounds;
    private final PrintWriter progress;
    private final List<Measurement> measurements = new ArrayList<>();

    /**
     * @param names of the scenarios to run
     * @param peers without {@link Peer#DIRECT}, which is always measured
     * @param progress receives a line for each measurement
     */
    Comparison(
            Launcher launcher,
            Scenarios scenarios,
            Set<String> names,
            List<Peer> peers,
            int rounds,
            PrintWriter progress) {
        this.launcher = launcher;
        this.scenarios = scenarios;
        this.names = names;
        this.peers = peers;
        this.rounds = rounds;
        this.progress = progress;
    }

    List<Measurement> run() throws IOException, InterruptedException {
        var mock = launcher.startMock();
        try (var client = LoadClient.open()) {
            var meter = new Meter(client, mock);
            costs(meter, mock);
            holds(meter, mock);
            scale(meter, mock);
        } finally {
            launcher.stop(mock);
        }
        return measurements;
    }

    /** Measures costs. The targets keep running through all rounds, so they stay warm. */
    private void costs(Meter meter, Target mock) throws IOException, InterruptedException {
        var loads = chosen(scenarios.delay(), scenarios.cpu(), scenarios.saturated(), scenarios.shorts());
        if (loads.isEmpty()) {
            return;
        }
        Map<Peer, Target> targets = new EnumMap<>(Peer.class);
        try {
            targets.put(Peer.DIRECT, mock);
            for (var peer : peers) {
                targets.put(peer, launcher.start(peer, mock.port(), 1));
            }
            for (var target : targets.values()) {
                warmUp(meter, target, scenarios.warmUp());
            }
            for (int round = 1; round <= rounds; round++) {
                for (var load : loads) {
                    for (var target : turns(targets.values(), round)) {
                        note(meter.measure(load, target, round, 1));
                    }
                }
            }
        } finally {
            targets.remove(Peer.DIRECT);
            targets.values().forEach(launcher::stop);
        }
    }

    /** Measures held streams. Each measurement starts a fresh process, because a process seldom gives memory back. */
    private void holds(Meter meter, Target mock) throws IOException, InterruptedException {
        for (int round = 1; round <= rounds; round++) {
            for (var load : chosen(scenarios.hold(), scenarios.holdMany())) {
                for (var peer : turns(peers, round)) {
                    if (load.equals(scenarios.holdMany())
                            && !scenarios.manyPeers().contains(peer)) {
                        continue;
                    }
                    var target = launcher.start(peer, mock.port(), 1);
                    try {
                        warmUp(meter, target, scenarios.warmUp().subList(0, 1));
                        note(meter.hold(load, target, round));
                    } finally {
                        launcher.stop(target);
                    }
                }
            }
        }
    }

    private void scale(Meter meter, Target mock) throws IOException, InterruptedException {
        if (!names.contains("scale") || !peers.contains(Peer.MILLRACE)) {
            return;
        }
        for (int round = 1; round <= rounds; round++) {
            for (int loops = 1; loops <= 2; loops++) {
                var target = launcher.start(Peer.MILLRACE, mock.port(), loops);
                try {
                    warmUp(meter, target, scenarios.warmUp());
                    for (var load : scenarios.scale()) {
                        note(meter.measure(load, target, round, loops));
                    }
                } finally {
                    launcher.stop(target);
                }
            }
        }
    }

    private void warmUp(Meter meter, Target target, List<Scenario> loads) throws InterruptedException {
        say("warming up " + target.peer().label());
        for (var load : loads) {
            meter.warmUp(load, target);
        }
    }

    private List<Scenario> chosen(Scenario... all) {
        return List.of(all).stream()
                .filter(scenario -> names.contains(scenario.name()))
                .toList();
    }

    /** All elements, rotated by the number of the round: each round begins with another one. */
    static <T> List<T> turns(Iterable<T> all, int round) {
        var turns = new ArrayList<T>();
        all.forEach(turns::add);
        Collections.rotate(turns, 1 - round);
        return turns;
    }

    private void note(Measurement measured) {
        measurements.add(measured);
        say(String.format(
                Locale.ROOT,
                "round %d, %s, %d streams, %s: %,.0f frames/s, delay p50 %.0f p99 %.0f µs, first byte p99 %.0f µs,"
                        + " cores %.2f target %.2f mock %.2f client %.2f foreign, %d held in %d KiB, %d lost%s",
                measured.round(),
                measured.scenario(),
                measured.streams(),
                measured.target().label(),
                measured.windowSeconds() == 0 ? 0 : measured.framesPerSecond(),
                measured.delay().p50(),
                measured.delay().p99(),
                measured.ttft().p99(),
                measured.windowSeconds() == 0 ? 0 : measured.targetCores(),
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
