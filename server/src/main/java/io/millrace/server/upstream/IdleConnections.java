package io.millrace.server.upstream;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Idle connections in the order in which they became idle. The list is linked through the connections, so that each can
 * be removed at once.
 */
final class IdleConnections {
    private @Nullable Http1Connection oldest;
    private @Nullable Http1Connection newest;

    boolean isEmpty() {
        return newest == null;
    }

    /** The connection that has been idle longest, or null. */
    @Nullable
    Http1Connection oldest() {
        return oldest;
    }

    void add(Http1Connection connection) {
        connection.older = newest;
        if (newest == null) {
            oldest = connection;
        } else {
            newest.newer = connection;
        }
        newest = connection;
    }

    /** Removes and returns the connection that became idle last, or null. */
    @Nullable
    Http1Connection pollNewest() {
        Http1Connection taken = newest;
        if (taken != null) {
            remove(taken);
        }
        return taken;
    }

    /** Removes a connection. False if it is not in the list. */
    boolean remove(Http1Connection connection) {
        if (connection.older == null && connection != oldest) {
            return false;
        }
        if (connection.older == null) {
            oldest = connection.newer;
        } else {
            connection.older.newer = connection.newer;
        }
        if (connection.newer == null) {
            newest = connection.older;
        } else {
            connection.newer.older = connection.older;
        }
        connection.older = null;
        connection.newer = null;
        return true;
    }

    /** All connections, the longest idle first. */
    List<Http1Connection> toList() {
        var all = new ArrayList<Http1Connection>();
        for (Http1Connection each = oldest; each != null; each = each.newer) {
            all.add(each);
        }
        return all;
    }
}
