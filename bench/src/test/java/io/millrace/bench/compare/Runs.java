package io.millrace.bench.compare;

import io.millrace.bench.compare.Measurement.Times;
import java.util.List;
import java.util.Map;

/** Measurements and results with invented values. */
final class Runs {
    private static final Machine MACHINE =
            new Machine("2026-01-01T00:00:00Z", "abc", "Abacus", 2, 2048, "Linux 0", "JDK 0", "", 1024, Map.of());

    private Runs() {}

    static Results results(Measurement... measurements) {
        return new Results(false, MACHINE, Scenarios.full(20_000), List.of(measurements));
    }

    /**
     * A million frames, a thousand streams, ten seconds, and times as given. The 99th percentile is ten times the 50th.
     */
    static Measurement run(String scenario, Peer peer, int round, double microseconds, double cpuSeconds) {
        return run(scenario, peer, round, 1, 10, microseconds, cpuSeconds, 0, null);
    }

    static Measurement run(
            String scenario,
            Peer peer,
            int round,
            int loops,
            int streams,
            double microseconds,
            double cpuSeconds,
            long lost,
            String flaw) {
        var times = new Times(1000, microseconds, 10 * microseconds, 20 * microseconds, 30 * microseconds);
        Map<String, Long> failures = lost == 0 ? Map.of() : Map.of("status 502", lost);
        return new Measurement(
                scenario,
                peer,
                round,
                loops,
                streams,
                10,
                1_000_000,
                1000,
                times,
                times,
                cpuSeconds,
                0.5,
                0.25,
                0.1,
                0,
                0,
                0,
                lost,
                failures,
                0,
                100,
                100,
                flaw);
    }
}
