package io.millrace.server.upstream;

import java.util.Collection;

/**
 * The connections of one event loop to all upstreams, by origin. Calls and their outcomes are confined to that event
 * loop. Made by {@link Connector#upstreams}.
 */
public interface Upstreams {
    /** Takes an idle connection to {@code origin}, or makes one. */
    void acquire(Origin origin, Waiter waiter);

    /** Makes a connection, whatever is idle: for a request that an idle connection turned out to be stale for. */
    void acquireNew(Origin origin, Waiter waiter);

    /**
     * The origins of the configuration are these from now on. Connections to others are closed, busy ones as they become
     * idle. An origin that is not among them can still be connected to, for a request that began before.
     */
    void keepOnly(Collection<Origin> origins);

    /** Receives the outcome of one attempt to get a connection, on the event loop, perhaps before the call returns. */
    interface Waiter {
        /** A connection for one request. */
        void onCall(UpstreamCall call);

        /** None could be had: no address answered, TLS failed, or all allowed connections are busy. */
        void onConnectFailure(ConnectFailure failure);
    }
}
