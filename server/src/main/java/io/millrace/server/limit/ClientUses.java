package io.millrace.server.limit;

import io.millrace.server.config.ClientSettings.ClientLimits;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The use of all clients, by their names. It outlives the list of clients. Any thread may use it. */
public final class ClientUses {
    private final Places places;
    private final @Nullable SharedLimits shared;
    private final Map<String, ClientUse> byName = new HashMap<>();

    /**
     * Nothing is used at first. At most {@code mostStreams} requests are in progress at once; the number is asked each
     * time.
     */
    public ClientUses(LongSupplier mostStreams) {
        this(mostStreams, null);
    }

    /** As {@link #ClientUses(LongSupplier)}. Other nodes share the limits, if {@code shared} is not null. */
    public ClientUses(LongSupplier mostStreams, @Nullable SharedLimits shared) {
        places = new Places(mostStreams);
        this.shared = shared;
    }

    /** The use of the client with this name, under these limits from now on. */
    public synchronized ClientUse of(String name, ClientLimits limits) {
        ClientUse use = byName.computeIfAbsent(name, key -> newUse(key, limits, System.nanoTime()));
        use.limits(limits);
        return use;
    }

    private ClientUse newUse(String name, ClientLimits limits, long nowNs) {
        return shared == null ? new ClientUse(places, limits, nowNs) : shared.newUse(name, places, limits, nowNs);
    }

    /** Drops clients with other names, unless they would have more when they come back. */
    public synchronized void keep(Set<String> names) {
        long nowNs = System.nanoTime();
        long nowMs = System.currentTimeMillis();
        byName.entrySet().removeIf(each -> {
            boolean dropped = !names.contains(each.getKey()) && each.getValue().isIdle(nowNs, nowMs);
            if (dropped && shared != null) {
                shared.drop(each.getKey());
            }
            return dropped;
        });
    }
}
