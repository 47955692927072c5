package io.millrace.bench.compare;

import io.millrace.bench.load.LoadPlan;
import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * One load and how long it is looked at.
 *
 * @param name on the command line and in the results
 * @param streams at once
 * @param spec of the mock
 * @param outputFrames of a stream, or {@link LoadPlan#ANY} if none ends
 * @param times how long it takes
 * @param separate whether the target has a processor for itself and mock and client share another
 */
record Scenario(String name, int streams, String spec, int outputFrames, Times times, boolean separate) {
    /** Streams that bring one word and then nothing for the time of a measurement. */
    static final String IDLE = "stamp=1,tokens=2,gap_ms=900000";

    /**
     * How long the parts of a load take.
     *
     * @param ramp over which streams begin
     * @param warmUp after the ramp, before the window
     * @param window that is measured
     */
    record Times(Duration ramp, Duration warmUp, Duration window) {}

    Scenario named(String other) {
        return new Scenario(other, streams, spec, outputFrames, times, separate);
    }

    LoadPlan plan(InetSocketAddress target) {
        return LoadPlan.of(target, spec, streams).expecting(outputFrames).over(times.ramp);
    }
}
