package io.millrace.server.upstream;

import java.util.concurrent.TimeUnit;

/**
 * Decides whether the upstream had closed the connection before it got the request, as far as the timing can tell. An
 * upstream that closes an idle connection does not know of a request on its way.
 */
final class StaleRule {
    /** The time that two machines may need, in addition to a round trip, to report a closed connection. */
    private static final long STALE_NS = TimeUnit.MILLISECONDS.toNanos(15);
    /** The same while the request is being sent. No upstream acts on a part of a request. */
    private static final long STALE_SENDING_NS = TimeUnit.SECONDS.toNanos(1);
    /** If connecting took longer than this, a packet was lost. */
    private static final long MAX_ROUND_TRIP_NS = TimeUnit.MILLISECONDS.toNanos(300);

    private long roundTripNs;

    /** Sets how long the first packet of the connection took to be answered. */
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
