package io.millrace.bench.compare;

import io.millrace.bench.load.LoadPlan;
import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * One load and how long it is measured.
 *
 * @param name on the command line and in the results
 * @param streams at once
 * @param spec of the mock
 * @param outputFrames the output frames of each stream, or {@link LoadPlan#ANY} if streams do not end
 * @param times how long the parts of the load take
 * @param separate whether the target has a processor of its own, and mock and client share another
 */
record Scenario(String name, int streams, String spec, int outputFrames, Times times, boolean separate) {
    /** Streams that send one word and are then silent for longer than a measurement. */
    static final String IDLE = "stamp=1,tokens=2,gap_ms=900000";

    /**
     * How long the parts of a load take.
     *
     * @param ramp the time over which streams begin
     * @param warmUp the time after the ramp, before the window
     * @param window the measured time
     */
    record Times(Duration ramp, Duration warmUp, Duration window) {}

    Scenario named(String other) {
        return new Scenario(other, streams, spec, outputFrames, times, separate);
    }

    LoadPlan plan(InetSocketAddress target) {
        return LoadPlan.of(target, spec, streams).expecting(outputFrames).over(times.ramp);
    }
}
