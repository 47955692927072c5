package io.millrace.server.chat;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The moments by which an answer's times are told.
 *
 * @param clock in nanoseconds
 * @param requestNs when the request was complete
 * @param attemptNs when the attempt began
 */
record ChatTimes(LongSupplier clock, long requestNs, long attemptNs) {
    long nowNs() {
        return clock.getAsLong();
    }

    /** From the end of the request to {@code ns}, with microseconds. */
    double sinceRequestMs(long ns) {
        return TimeUnit.NANOSECONDS.toMicros(Math.max(0, ns - requestNs)) / 1000.0;
    }
}
