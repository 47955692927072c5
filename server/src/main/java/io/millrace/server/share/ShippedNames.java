package io.millrace.server.share;

import io.millrace.server.replay.OnceKey;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The names in the store that lead to one stream: that of its request and that of its answer. A name that another stream has
 * already stays with that stream.
 */
final class ShippedNames {
    private final Shipper shipper;
    private final String id;
    private @Nullable OnceKey request;
    private @Nullable String answer;

    ShippedNames(Shipper shipper, String id) {
        this.shipper = shipper;
        this.id = id;
    }

    void request(@Nullable OnceKey name) {
        request = name;
    }

    void answer(String name) {
        answer = name;
        write();
    }

    /** The key of the request's name in the store; empty if the request has none. */
    String requestKey() {
        return request == null ? "" : shipper.keys().once(request.scope());
    }

    /** Writes the names, also if the store has lost them. */
    void write() {
        if (request != null) {
            write(requestKey(), id + " " + request.content());
        }
        if (answer != null) {
            write(shipper.keys().answer(answer), id);
        }
    }

    private void write(String key, String value) {
        shipper.call(Shipper.IGNORED, 0, "SET", key, value, "PX", Shipment.LIFE_MS, "NX");
    }

    void expire(long ms) {
        for (String key : keys()) {
            shipper.call(Shipper.IGNORED, 0, "PEXPIRE", key, ms);
        }
    }

    /** Deletes the names that belong to this stream. */
    void free() {
        keys().forEach(key -> shipper.free(key, id));
    }

    private List<String> keys() {
        var keys = new ArrayList<String>(2);
        if (request != null) {
            keys.add(requestKey());
        }
        if (answer != null) {
            keys.add(shipper.keys().answer(answer));
        }
        return keys;
    }
}
