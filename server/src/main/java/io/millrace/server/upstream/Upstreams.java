package io.millrace.server.upstream;

import java.util.Collection;

/**
 * The connections of one event loop to all upstreams, by origin. Calls and their outcomes are confined to that event
 * loop. Made by {@link Connector#upstreams}.
 */
public interface Upstreams {
    /** Takes an idle connection to {@code origin}, or makes one. */
    void acquire(Origin origin, Waiter waiter);

    /** Makes a new connection even if one is idle. For a request that failed because an idle connection was stale. */
    void acquireNew(Origin origin, Waiter waiter);

    /**
     * Replaces the origins of the configuration. Connections to other origins are closed; busy ones when they become
     * idle. Another origin can still be connected to, for a request that began before.
     */
    void keepOnly(Collection<Origin> origins);

    /** Receives the outcome of one attempt to get a connection, on the event loop, perhaps before the call returns. */
    interface Waiter {
        /** Gives a connection for one request. */
        void onCall(UpstreamCall call);

        /** There is no connection: no address answered, TLS failed, or all allowed connections are busy. */
        void onConnectFailure(ConnectFailure failure);
    }
}
