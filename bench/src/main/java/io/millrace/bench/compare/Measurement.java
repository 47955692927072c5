package io.millrace.bench.compare;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.millrace.bench.load.LoadReport;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * One measurement of one target under one load. Cores are shares of one processor over the window. A figure that is not
 * part of the scenario is 0.
 *
 * @param scenario the name of the scenario
 * @param target the peer's name
 * @param round from 1 on
 * @param eventLoops how many threads the target was told to use
 * @param streams the planned number of streams at once
 * @param windowSeconds the length of the measured window
 * @param frames the frames that were read in the window
 * @param streamsEnded the streams that completed in the window
 * @param ttft from the request to the first byte of the body
 * @param delay of a frame, from the mock's stamp to the read
 * @param targetCpuSeconds processor time of the target in the window
 * @param mockCores processors that the mock used
 * @param clientCores processors that this process used
 * @param foreignCores processors that everything else on the machine used
 * @param held the streams that were open at once, in a scenario that holds them
 * @param residentKiB memory of the target with these streams
 * @param residentBeforeKiB memory of the target without streams
 * @param lost lost streams of the whole run
 * @param failures why streams were lost
 * @param unfinished the streams that were in progress at the end
 * @param shortestBody the shortest body of a completed stream, in bytes
 * @param longestBody the longest body of a completed stream, in bytes
 * @param flaw why the figures are void, or null
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Measurement(
        String scenario,
        Peer target,
        int round,
        int eventLoops,
        int streams,
        double windowSeconds,
        long frames,
        long streamsEnded,
        Times ttft,
        Times delay,
        double targetCpuSeconds,
        double mockCores,
        double clientCores,
        double foreignCores,
        int held,
        long residentKiB,
        long residentBeforeKiB,
        long lost,
        Map<String, Long> failures,
        long unfinished,
        long shortestBody,
        long longestBody,
        @Nullable String flaw) {
    /**
     * Times in microseconds, at percentiles.
     *
     * @param samples how many values there were
     */
    record Times(long samples, double p50, double p99, double p999, double max) {
        static Times of(Histogram histogram) {
            return new Times(
                    histogram.getTotalCount(),
                    histogram.getValueAtPercentile(50) / 1e3,
                    histogram.getValueAtPercentile(99) / 1e3,
                    histogram.getValueAtPercentile(99.9) / 1e3,
                    histogram.getMaxValue() / 1e3);
        }
    }

    /** Processor time in a window, as the operating system reports it. */
    record Usage(double targetCpuSeconds, double mockCores, double clientCores, double foreignCores) {
        static final Usage NONE = new Usage(0, 0, 0, 0);

        /**
         * If the mock or the client uses more than this share of its processor, the figures may be those of the mock or
         * the client.
         */
        private static final double MOST_CORES = 0.7;

        /** The same if only processor time is measured, and no delay. */
        private static final double MOST_CORES_FOR_COSTS = 0.9;

        /** Why the figures of the window are void, or null. */
        @Nullable
        String flaw(boolean hasTarget) {
            return flaw(hasTarget, MOST_CORES);
        }

        /** Why the target's processor time in the window is void, or null. */
        @Nullable
        String flawOfCosts() {
            return flaw(true, MOST_CORES_FOR_COSTS);
        }

        private @Nullable String flaw(boolean hasTarget, double mostCores) {
            if (mockCores > mostCores) {
                return String.format("the mock used %.0f%% of a processor", 100 * mockCores);
            }
            if (clientCores > mostCores) {
                return String.format("the client used %.0f%% of a processor", 100 * clientCores);
            }
            return hasTarget && targetCpuSeconds == 0 ? "the window was too short to see processor time" : null;
        }
    }

    /** The held streams and the memory of the target. */
    record Holding(int held, long residentKiB, long residentBeforeKiB) {
        static final Holding NONE = new Holding(0, 0, 0);
    }

    static Measurement of(
            Scenario scenario,
            Target target,
            int round,
            int eventLoops,
            LoadReport report,
            Usage usage,
            Holding holding,
            @Nullable String flaw) {
        return new Measurement(
                scenario.name(),
                target.peer(),
                round,
                eventLoops,
                scenario.streams(),
                report.windowNs() / 1e9,
                report.frames(),
                report.streams(),
                Times.of(report.ttft()),
                Times.of(report.delay()),
                usage.targetCpuSeconds(),
                usage.mockCores(),
                usage.clientCores(),
                usage.foreignCores(),
                holding.held(),
                holding.residentKiB(),
                holding.residentBeforeKiB(),
                report.lost(),
                report.failures(),
                report.unfinished(),
                report.shortestBody(),
                report.longestBody(),
                flaw);
    }

    double framesPerSecond() {
        return frames / windowSeconds;
    }

    double targetCores() {
        return targetCpuSeconds / windowSeconds;
    }

    double cpuSecondsPerMillionFrames() {
        return targetCpuSeconds / frames * 1e6;
    }

    double millionFramesPerCpuSecond() {
        return frames / targetCpuSeconds / 1e6;
    }

    double thousandStreamsPerCpuSecond() {
        return streamsEnded / targetCpuSeconds / 1e3;
    }

    double kibPerHeldStream() {
        return (double) (residentKiB - residentBeforeKiB) / held;
    }
}
