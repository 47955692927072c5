package io.millrace.server.relay;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Streams that never began, because a stream of another node answers their request. A request of the same name that has
 * just found such a stream gets the other one. Only the latest are known. Confined to an event loop.
 */
final class Yielded {
    private static final int MOST = 256;

    private final Map<String, String> firsts = new LinkedHashMap<>();

    /** The request of the stream {@code id} is answered by the stream {@code first}. */
    void add(String id, String first) {
        firsts.put(id, first);
        if (firsts.size() > MOST) {
            firsts.remove(firsts.keySet().iterator().next());
        }
    }

    /** The stream that answers the request of the stream {@code id}. */
    String firstOf(String id) {
        return firsts.getOrDefault(id, id);
    }
}
