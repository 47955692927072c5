package io.millrace.server.upstream;

import java.util.concurrent.TimeUnit;

/**
 * Whether a request met a connection that its upstream had closed before, as far as the time can tell: an upstream that
 * closes an idle connection does not know of the request that is on its way.
 */
final class StaleRule {
    /** What two machines may take, beside a round trip, to tell that a connection is closed. */
    private static final long STALE_NS = TimeUnit.MILLISECONDS.toNanos(15);
    /** The same while the request is being sent: no upstream acts on a part of it. */
    private static final long STALE_SENDING_NS = TimeUnit.SECONDS.toNanos(1);
    /** A connection whose making took longer has lost a packet. */
    private static final long MAX_ROUND_TRIP_NS = TimeUnit.MILLISECONDS.toNanos(300);

    private long roundTripNs;

    /** Sets how long the kernel's first packet took to be answered, when the connection was made. */
    void roundTripNs(long measuredNs) {
        roundTripNs = measuredNs;
    }

    /** Whether the connection was closed before the request that was sent at {@code sentNs} reached the upstream. */
    boolean wasStale(long sentNs, boolean handedOver) {
        long tripNs = Math.min(roundTripNs, MAX_ROUND_TRIP_NS);
        long limitNs = handedOver ? tripNs + tripNs / 4 + STALE_NS : STALE_SENDING_NS;
        return System.nanoTime() - sentNs < limitNs;
    }
}
