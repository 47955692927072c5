package io.millrace.bench.compare;

import io.millrace.bench.compare.Scenario.Times;
import io.millrace.bench.load.LoadPlan;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The loads of a comparison. Pauses between frames are random, so that streams do not send at the same moments.
 *
 * @param delay 100 streams at 50 frames a second: the time added to the first byte and to every frame
 * @param cpu 1,000 streams at 10 frames a second: processor time per frame
 * @param saturated as many frames as possible
 * @param shorts as many streams of one token as possible, on kept connections
 * @param hold streams that are open and silent
 * @param holdMany many more of these
 * @param scale as many frames a second as possible, on more and more streams
 * @param warmUp the load of every fresh target before it is measured
 * @param manyPeers the peers that {@code holdMany} measures
 */
record Scenarios(
        Scenario delay,
        Scenario cpu,
        Scenario saturated,
        Scenario shorts,
        Scenario hold,
        Scenario holdMany,
        List<Scenario> scale,
        List<Scenario> warmUp,
        Set<Peer> manyPeers) {
    /** All names of loads on the command line. */
    static final List<String> NAMES = List.of("delay", "cpu", "saturated", "short", "hold", "hold-many", "scale");

    /** The most streams of {@code holdMany}. */
    private static final int MANY = 9000;

    private static final int SCALE_FRAMES_PER_SECOND = 9000;
    private static final int QUICK_SCALE_FRAMES_PER_SECOND = 500;
    private static final int ENDLESS = 100_000_000;

    /** The loads for figures. {@code descriptors} limits how many streams can be held. */
    static Scenarios full(int descriptors) {
        // Millrace takes connections up to 45% of the descriptors; the others could take a few more.
        int many = Math.min(MANY, (int) (descriptors * 0.45));
        return new Scenarios(
                steady("delay", 100, 25, 20, seconds(1), seconds(2), seconds(8)),
                steady("cpu", 1000, 50, 100, seconds(2), seconds(2), seconds(8)),
                burst("saturated", 50, 20_000, seconds(1.5), seconds(4)),
                burst("short", 50, 1, seconds(1.5), seconds(4)),
                hold("hold", 1000, seconds(1), seconds(2)),
                hold("hold-many", many, seconds(4), seconds(2)),
                IntStream.of(10, 100, 1000, 3000, many)
                        .mapToObj(streams -> scale(streams, SCALE_FRAMES_PER_SECOND, seconds(2), seconds(5)))
                        .toList(),
                warmUp(50, seconds(3)),
                Set.of(Peer.NGINX, Peer.HAPROXY, Peer.MILLRACE));
    }

    /** Short loads, about a minute in all, that show only whether everything works. */
    static Scenarios quick() {
        return new Scenarios(
                steady("delay", 20, 10, 20, seconds(0.2), seconds(0.3), seconds(1)),
                steady("cpu", 50, 10, 50, seconds(0.2), seconds(0.3), seconds(1)),
                burst("saturated", 10, 2000, seconds(0.2), seconds(0.5)),
                burst("short", 10, 1, seconds(0.2), seconds(0.5)),
                hold("hold", 50, seconds(0.2), seconds(0.2)),
                hold("hold-many", 200, seconds(0.2), seconds(0.2)),
                IntStream.of(5, 50)
                        .mapToObj(streams -> scale(streams, QUICK_SCALE_FRAMES_PER_SECOND, seconds(0.2), seconds(1)))
                        .toList(),
                warmUp(10, seconds(0.5)),
                Set.of(Peer.NGINX, Peer.MILLRACE));
    }

    private static Scenario steady(
            String name, int streams, int tokens, int gapMs, Duration ramp, Duration warmUp, Duration window) {
        String spec =
                String.format(Locale.ROOT, "stamp=1,tokens=%d,gap=uniform:%d-%d", tokens, gapMs / 2, gapMs + gapMs / 2);
        return new Scenario(name, streams, spec, tokens, new Times(ramp, warmUp, window), false);
    }

    private static Scenario burst(String name, int streams, int tokens, Duration warmUp, Duration window) {
        return new Scenario(
                name, streams, "stamp=1,tokens=" + tokens, tokens, new Times(seconds(0.1), warmUp, window), true);
    }

    private static Scenario hold(String name, int streams, Duration ramp, Duration rest) {
        return new Scenario(name, streams, Scenario.IDLE, LoadPlan.ANY, new Times(ramp, rest, Duration.ZERO), false);
    }

    private static Scenario scale(int streams, int framesPerSecond, Duration warmUp, Duration window) {
        double gapMs = 1000.0 * streams / framesPerSecond;
        String spec =
                String.format(Locale.ROOT, "stamp=1,tokens=%d,gap=uniform:%.3f-%.3f", ENDLESS, gapMs / 2, gapMs * 1.5);
        var ramp = seconds(Math.max(0.2, streams / 2500.0));
        return new Scenario("scale", streams, spec, LoadPlan.ANY, new Times(ramp, warmUp, window), false);
    }

    private static List<Scenario> warmUp(int streams, Duration each) {
        var times = new Times(seconds(0.1), Duration.ZERO, each);
        return List.of(
                new Scenario("warm-up", streams, "stamp=1,tokens=3", 3, times, false),
                new Scenario("warm-up", streams, "stamp=1,tokens=500", 500, times, false),
                new Scenario("warm-up", streams, "stamp=1,tokens=20,gap=uniform:1-5", 20, times, false));
    }

    private static Duration seconds(double seconds) {
        return Duration.ofNanos((long) (seconds * 1e9));
    }
}
