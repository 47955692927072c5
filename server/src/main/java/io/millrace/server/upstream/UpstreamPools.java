package io.millrace.server.upstream;

import io.millrace.server.timing.Sweeper;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The pools of one event loop. Confined to it. */
final class UpstreamPools implements Upstreams {
    private final Connector connector;
    private final Sweeper sweeper;
    private final Listener listener;
    private final Map<Origin, UpstreamPool> pools = new HashMap<>();
    /** The origins of the configuration; null until a reload changes it. */
    private @Nullable Set<Origin> current;

    UpstreamPools(Connector connector, Sweeper sweeper, Listener listener) {
        this.connector = connector;
        this.sweeper = sweeper;
        this.listener = listener;
    }

    @Override
    public void acquire(Origin origin, Waiter waiter) {
        pool(origin).acquire(waiter);
    }

    @Override
    public void acquireNew(Origin origin, Waiter waiter) {
        pool(origin).acquireNew(waiter);
    }

    @Override
    public void keepOnly(Collection<Origin> origins) {
        var kept = Set.copyOf(origins);
        current = kept;
        pools.entrySet().removeIf(entry -> {
            boolean gone = !kept.contains(entry.getKey());
            if (gone) {
                entry.getValue().close();
            }
            return gone;
        });
    }

    /**
     * The pool of {@code origin}. An origin that is gone from the configuration gets a pool that keeps no connections.
     */
    private UpstreamPool pool(Origin origin) {
        if (current != null && !current.contains(origin)) {
            var passing = newPool(origin);
            passing.close();
            return passing;
        }
        return pools.computeIfAbsent(origin, this::newPool);
    }

    private UpstreamPool newPool(Origin origin) {
        return new UpstreamPool(origin, connector, sweeper, listener);
    }
}
