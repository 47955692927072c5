package io.millrace.bench.compare;

import io.millrace.bench.compare.Scenario.Times;
import io.millrace.bench.load.LoadPlan;
import java.time.Duration;
import java.util.List;

/**
 * The loads over TLS and HTTP/2.
 *
 * @param frames 1,000 streams at 10 frames a second: processor time per frame
 * @param beside the same for all targets at once, on one processor: what disturbs the machine disturbs all of them
 * @param shorts as many streams of one token as possible: processor time per stream
 * @param idle streams that are open and silent: memory
 * @param idleWarmUp the load of a fresh process before its idle streams
 * @param warmUp the loads of a fresh Millrace before it is measured, for each protocol: its code is compiled while it
 *     runs
 * @param handshakes how long connections are opened, one after another
 */
record EdgeScenarios(
        Scenario frames,
        Scenario beside,
        Scenario shorts,
        Scenario idle,
        Scenario idleWarmUp,
        List<Scenario> warmUp,
        Duration handshakes) {
    /** All names of loads on the command line. */
    static final List<String> NAMES = List.of("tls", "beside", "handshakes", "idle");

    /** The loads for figures. */
    static EdgeScenarios full() {
        var frames = frames(1000, 30, 100, new Times(ms(1000), ms(800), ms(4000)));
        return new EdgeScenarios(
                frames,
                frames(500, 70, 100, new Times(ms(1000), ms(1200), ms(4000))).named("beside"),
                shorts(100, new Times(ms(100), ms(600), ms(2500))),
                idle(5000, new Times(ms(5000), ms(1000), Duration.ZERO)),
                shorts(100, warm(1000)),
                List.of(frames(100, 500, 4, new Times(ms(100), ms(0), ms(0))), shorts(100, warm(3000)), frames),
                ms(2000));
    }

    /** Short loads that show only whether everything works. */
    static EdgeScenarios quick() {
        return new EdgeScenarios(
                frames(50, 20, 50, new Times(ms(200), ms(200), ms(1000))),
                frames(50, 40, 50, new Times(ms(200), ms(200), ms(1000))).named("beside"),
                shorts(20, new Times(ms(100), ms(200), ms(500))),
                idle(200, new Times(ms(200), ms(200), Duration.ZERO)),
                shorts(20, warm(300)),
                List.of(shorts(20, warm(300))),
                ms(500));
    }

    private static Scenario frames(int streams, int tokens, int gapMs, Times times) {
        String spec = "stamp=1,tokens=" + tokens + ",gap=uniform:" + gapMs / 2 + "-" + gapMs * 3 / 2;
        return new Scenario("frames", streams, spec, tokens, times, false);
    }

    private static Scenario shorts(int streams, Times times) {
        return new Scenario("streams", streams, "stamp=1,tokens=1", 1, times, true);
    }

    private static Scenario idle(int streams, Times times) {
        return new Scenario("idle", streams, Scenario.IDLE, LoadPlan.ANY, times, false);
    }

    private static Times warm(int millis) {
        return new Times(Duration.ZERO, Duration.ZERO, ms(millis));
    }

    private static Duration ms(int millis) {
        return Duration.ofMillis(millis);
    }
}
