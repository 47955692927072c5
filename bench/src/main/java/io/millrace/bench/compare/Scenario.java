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
 * @param ramp over which streams begin
 * @param warmUp behind it, before the window
 * @param window that is measured
 * @param separate whether the target has a processor for itself and mock and client share another
 */
record Scenario(
        String name,
        int streams,
        String spec,
        int outputFrames,
        Duration ramp,
        Duration warmUp,
        Duration window,
        boolean separate) {
    /** Streams that say one word and then nothing for as long as anyone looks. */
    static final String IDLE = "stamp=1,tokens=2,gap_ms=900000";

    LoadPlan plan(InetSocketAddress target) {
        return LoadPlan.of(target, spec, streams).expecting(outputFrames).over(ramp);
    }
}
