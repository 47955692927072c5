package io.millrace.server.upstream;

import java.util.ArrayList;
import java.util.List;

/** Connections in the order in which they became idle, linked through themselves: any of them leaves at once. */
final class IdleConnections {
    private UpstreamConnection oldest;
    private UpstreamConnection newest;

    boolean isEmpty() {
        return newest == null;
    }

    /** The one that waits longest, or null. */
    UpstreamConnection oldest() {
        return oldest;
    }

    void add(UpstreamConnection connection) {
        connection.pooled = true;
        connection.older = newest;
        if (newest == null) {
            oldest = connection;
        } else {
            newest.newer = connection;
        }
        newest = connection;
    }

    /** Takes the one that came last, or null. */
    UpstreamConnection pollNewest() {
        UpstreamConnection taken = newest;
        if (taken != null) {
            remove(taken);
        }
        return taken;
    }

    /** False if it is not here. */
    boolean remove(UpstreamConnection connection) {
        if (!connection.pooled) {
            return false;
        }
        connection.pooled = false;
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
    List<UpstreamConnection> toList() {
        var all = new ArrayList<UpstreamConnection>();
        for (UpstreamConnection each = oldest; each != null; each = each.newer) {
            all.add(each);
        }
        return all;
    }
}
