package io.millrace.server.limit;

import io.millrace.server.config.ClientSettings.ClientLimits;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.config.RelayConfig.ClientAccess.OnStoreFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * Shares what clients use of their limits with other nodes, by way of a store. Each node decides at once by what it knows,
 * and tells the store afterwards. The store's answer has what the other nodes have used. So no request waits, and what
 * the nodes granted too much is a debt of the client.
 *
 * <p>While the store is down, each node grants an equal part of each limit, or refuses what has limits, as configured.
 *
 * <p>Event loops note what is used. One event loop, that of the store, calls all methods that are public.
 */
public final class SharedLimits {
    /** Told together, so that the store is not busy with one node for long. */
    private static final int MOST_CLIENTS = 64;

    private final Map<String, ClientUse> uses = new ConcurrentHashMap<>();
    private final Queue<SharedUse> changed = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean hurried = new AtomicBoolean();
    private final LongAdder told = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder losses = new LongAdder();
    private final boolean refusing;
    private volatile Runnable onHurry = () -> {};
    private volatile int nodes;
    private volatile boolean up;

    /** As configured. The store is down at first. */
    public static SharedLimits of(ClientAccess access) {
        return new SharedLimits(access.nodes(), access.onStoreFailure() == OnStoreFailure.REFUSE);
    }

    /** The store is down at first. {@code nodes} share the limits until it has told how many there are. */
    public SharedLimits(int nodes) {
        this(nodes, false);
    }

    SharedLimits(int nodes, boolean refusing) {
        this.nodes = nodes;
        this.refusing = refusing;
    }

    /** Whether requests with shared limits are refused while the store is down. */
    public boolean isRefusing() {
        return refusing;
    }

    /** Has {@code task} run, on any thread, when something is to be told at once. */
    public void onHurry(Runnable task) {
        onHurry = task;
    }

    /** What the store is to be told of some clients, and how. Empty if there is nothing. It must be up. */
    public List<SharedChange> next(long nowNs, long nowMs) {
        hurried.set(false);
        var changes = new ArrayList<SharedChange>();
        for (int i = 0; i < MOST_CLIENTS; i++) {
            SharedUse shared = changed.poll();
            if (shared == null) {
                break;
            }
            ClientUse use = uses.get(shared.name());
            if (use != null) {
                shared.tell(use, changes, nowNs, nowMs);
            }
        }
        return changes;
    }

    /** The store has taken, or refused, what it was told. */
    public void onTold(boolean taken) {
        (taken ? told : refused).increment();
    }

    /** The store answers. This node has the whole of each limit from now on, and tells what it has used. */
    public synchronized void onUp(long nowNs) {
        up = true;
        uses.values().forEach(use -> use.onStoreUp(nowNs));
    }

    /** The store is lost. This node has its equal part of each limit from now on. */
    public synchronized void onDown() {
        if (up) {
            losses.increment();
        }
        up = false;
        uses.values().forEach(use -> use.share(nodes));
    }

    /** So many nodes share the limits, this one among them. */
    public void nodes(int number) {
        nodes = Math.max(1, number);
    }

    /** How many nodes share the limits, as far as this one knows. */
    public int nodes() {
        return nodes;
    }

    /** Whether the store answers. */
    public boolean isUp() {
        return up;
    }

    /** How many times the store has taken, or refused, what it was told. */
    public long told(boolean taken) {
        return (taken ? told : refused).sum();
    }

    /** How many times the store was lost. */
    public long losses() {
        return losses.sum();
    }

    /** The use of a client from now on. */
    synchronized ClientUse newUse(String name, Places places, ClientLimits limits, long nowNs) {
        var shared = new SharedUse(name, this);
        var use = new ClientUse(places, limits, nowNs, shared);
        uses.put(name, use);
        use.share(up ? 1 : nodes);
        shared.changed(false, nowNs);
        return use;
    }

    /** Forgets a client. */
    void drop(String name) {
        uses.remove(name);
    }

    void queue(SharedUse use) {
        changed.add(use);
    }

    void hurry() {
        if (up && hurried.compareAndSet(false, true)) {
            onHurry.run();
        }
    }
}
