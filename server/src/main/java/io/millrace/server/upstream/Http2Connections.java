package io.millrace.server.upstream;

import io.millrace.server.upstream.Upstreams.Waiter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP/2 connections of a pool, and the requests that wait for a new one. The fullest connection with room takes
 * the next request, so that the others become empty and can be closed. Confined to its event loop.
 */
final class Http2Connections {
    /** Until an origin's protocol is known, a new connection may turn out to be for one request or for many. */
    private static final int UNKNOWN_AT_ONCE = 4;

    private final Origin origin;
    private final List<Http2Upstream> open = new ArrayList<>();
    private final Queue<Waiter> waiting = new ArrayDeque<>();
    private Spoken spoken;
    private boolean http1Required;

    private enum Spoken {
        UNKNOWN,
        HTTP_1_1,
        HTTP_2
    }

    Http2Connections(Origin origin) {
        this.origin = origin;
        spoken = switch (origin.http().version()) {
            case HTTP_1_1 -> Spoken.HTTP_1_1;
            case AUTO -> origin.tls() == null ? Spoken.HTTP_1_1 : Spoken.UNKNOWN;
            case HTTP_2 -> Spoken.HTTP_2;
        };
    }

    boolean isEmpty() {
        return open.isEmpty();
    }

    /** The connection for the next request; null if none has room. */
    @Nullable
    Http2Upstream fullest() {
        Http2Upstream fullest = null;
        int least = Integer.MAX_VALUE;
        for (int i = 0; i < open.size() && least > 1; i++) {
            int room = open.get(i).room();
            if (room > 0 && room < least) {
                least = room;
                fullest = open.get(i);
            }
        }
        return fullest;
    }

    /**
     * Whether a request should wait for a connection that is being made.
     *
     * @param connecting the number of connections that are being made
     */
    boolean shouldWait(int connecting) {
        return switch (spoken) {
            case UNKNOWN -> connecting >= UNKNOWN_AT_ONCE;
            case HTTP_1_1 -> false;
            case HTTP_2 ->
                connecting + waiting.size() < (long) connecting * origin.http().streams();
        };
    }

    void await(Waiter waiter) {
        waiting.add(waiter);
    }

    /** Takes the request that waited longest; null if none waits. */
    @Nullable
    Waiter nextWaiting() {
        return waiting.poll();
    }

    int waiting() {
        return waiting.size();
    }

    /** Notes that a connection was made. */
    void onConnected(UpstreamConnection connection) {
        boolean http2 = connection instanceof Http2Upstream;
        if (http2) {
            open.add((Http2Upstream) connection);
        }
        if (!http1Required) {
            spoken = http2 ? Spoken.HTTP_2 : Spoken.HTTP_1_1;
        }
    }

    /** Whether the upstream has said that it wants HTTP/1.1. Only what was being made then may still speak HTTP/2. */
    boolean http1Required() {
        return http1Required;
    }

    /** The upstream wants HTTP/1.1. The open connections take no more requests. */
    void requireHttp1() {
        http1Required = true;
        spoken = Spoken.HTTP_1_1;
        toList().forEach(Http2Upstream::drain);
    }

    void onClosed(Http2Upstream connection) {
        open.remove(connection);
    }

    /** A copy of all connections, because they may change during the loop over them. */
    List<Http2Upstream> toList() {
        return List.copyOf(open);
    }
}
