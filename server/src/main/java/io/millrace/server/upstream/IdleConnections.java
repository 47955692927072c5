package io.millrace.server.upstream;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Connections in the order in which they became idle, linked through themselves: any of them leaves at once. */
final class IdleConnections {
    private @Nullable Http1Connection oldest;
    private @Nullable Http1Connection newest;

    boolean isEmpty() {
        return newest == null;
    }

    /** The one that waits longest, or null. */
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

    /** Takes the one that came last, or null. */
    @Nullable
    Http1Connection pollNewest() {
        Http1Connection taken = newest;
        if (taken != null) {
            remove(taken);
        }
        return taken;
    }

    /** False if it is not here. */
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

    /** All of them, the oldest first. */
    List<Http1Connection> toList() {
        var all = new ArrayList<Http1Connection>();
        for (Http1Connection each = oldest; each != null; each = each.newer) {
            all.add(each);
        }
        return all;
    }
}
