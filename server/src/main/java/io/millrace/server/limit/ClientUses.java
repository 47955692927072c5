package io.millrace.server.limit;

import io.millrace.server.config.ClientSettings.ClientLimits;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/** The use of all clients, by their names. It outlives the list of clients. Any thread may use it. */
public final class ClientUses {
    private final Places places;
    private final Map<String, ClientUse> byName = new HashMap<>();

    /**
     * Nothing is used at first. At most {@code mostStreams} requests are in progress at once; the number is asked each
     * time.
     */
    public ClientUses(LongSupplier mostStreams) {
        places = new Places(mostStreams);
    }

    /** The use of the client with this name, under these limits from now on. */
    public synchronized ClientUse of(String name, ClientLimits limits) {
        ClientUse use = byName.computeIfAbsent(name, key -> new ClientUse(places, limits, System.nanoTime()));
        use.limits(limits);
        return use;
    }

    /** Drops clients with other names, unless they would have more when they come back. */
    public synchronized void keep(Set<String> names) {
        long nowNs = System.nanoTime();
        long nowMs = System.currentTimeMillis();
        byName.entrySet()
                .removeIf(each ->
                        !names.contains(each.getKey()) && each.getValue().isIdle(nowNs, nowMs));
    }
}
