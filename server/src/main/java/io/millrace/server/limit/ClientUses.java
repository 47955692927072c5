package io.millrace.server.limit;

import io.millrace.server.config.ClientLimits;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/** What all clients have used, by their names: it outlives the list of clients. Any thread may use it. */
public final class ClientUses {
    private final Places places;
    private final Map<String, ClientUse> byName = new HashMap<>();

    /** Nothing was used; at most as many requests are in progress at once as {@code mostStreams} says at the time. */
    public ClientUses(LongSupplier mostStreams) {
        places = new Places(mostStreams);
    }

    /** That of the client of this name, from now on under these limits. */
    public synchronized ClientUse of(String name, ClientLimits limits) {
        ClientUse use = byName.computeIfAbsent(name, key -> new ClientUse(places, limits, System.nanoTime()));
        use.limits(limits);
        return use;
    }

    /** Forgets clients of other names, unless they would come back with more than they had. */
    public synchronized void keep(Set<String> names) {
        long nowNs = System.nanoTime();
        long nowMs = System.currentTimeMillis();
        byName.entrySet()
                .removeIf(each ->
                        !names.contains(each.getKey()) && each.getValue().isIdle(nowNs, nowMs));
    }
}
