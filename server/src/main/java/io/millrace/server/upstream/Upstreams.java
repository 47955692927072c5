package io.millrace.server.upstream;

import java.util.Collection;

/**
 * The connections of one event loop to all upstreams, by origin. Calls and their outcomes are confined to that event
 * loop. Made by {@link Connector#upstreams}.
 */
public interface Upstreams {
    /** Takes an idle connection to {@code origin} if {@code waiter} {@linkplain Waiter#takesUsed may have one}, or makes one. */
    void acquire(Origin origin, Waiter waiter);

    /** Makes a new connection even if one is idle. For a request that failed because an idle connection was stale. */
    void acquireNew(Origin origin, Waiter waiter);

    /**
     * Replaces the origins of the configuration. Connections to other origins are closed; busy ones when they become
     * idle. Another origin can still be connected to, for a request that began before.
     */
    void keepOnly(Collection<Origin> origins);

    /** Receives what happens to connections. */
    interface Listener {
        /** A connection to {@code upstream} was opened. It took {@code tookNs} with the TLS handshake. */
        void onConnected(String upstream, long tookNs);
    }

    /** Receives the outcome of one attempt to get a connection, on the event loop, perhaps before the call returns. */
    interface Waiter {
        /**
         * Whether the connection may have carried a request before. The upstream may be closing such a connection while the
         * next request is on its way, and over HTTP/1.1 nobody can tell whether it has read that request. If not, HTTP/1.1
         * makes a connection for this request alone and closes it afterwards. HTTP/2 takes a used one all the same, because
         * there the upstream says which requests it has not processed.
         */
        default boolean takesUsed() {
            return true;
        }

        /** Gives a connection for one request. */
        void onCall(UpstreamCall call);

        /** There is no connection: no address answered, TLS failed, or all allowed connections are busy. */
        void onConnectFailure(ConnectFailure failure);
    }
}
