package io.millrace.server.relay;

import io.millrace.server.downstream.ClientConnection;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.memory.MemoryAccount;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/**
 * Frees memory on one event loop if too much is held. First it drops bodies that are kept only for another attempt,
 * then it cuts the largest exchanges. Confined to that event loop.
 *
 * <p>It does not cut translations of long requests on other threads. They end by themselves, {@link LongTranslation}
 * limits how many run and wait, and none begins without room in the budget.
 */
final class MemoryRelief {
    private final EventLoop loop;
    private final LoopMemory memory;
    private final Collection<ClientConnection> connections;
    /** Exchanges that go on without their client. */
    private final Set<Holder> detached = new HashSet<>();

    private List<MemoryRelief> others = List.of();
    private boolean asked;

    /** A request that holds memory. */
    interface Holder {
        /** The bytes that it holds in {@code pool}, except those that wait for the client. */
        long held(Held.Pool pool);

        /** The memory of its body, 0 if that is little. */
        int heldOfBody();

        /** Whether the body is kept only for another attempt. */
        boolean mayDropBody();

        /** Drops the body. No further attempt is made then. */
        void dropBody();

        /** Whether the body is incomplete. */
        boolean awaitsBody();

        /** When the body last made progress. */
        long bodyPacedNs();

        /** Ends it because it holds more than others, and too much is held. */
        void onMemoryShort();
    }

    /**
     * Creates the relief of one event loop.
     *
     * @param connections the connections of the event loop, at any time
     */
    MemoryRelief(EventLoop loop, LoopMemory memory, Collection<ClientConnection> connections) {
        this.loop = loop;
        this.memory = memory;
        this.connections = connections;
    }

    /** The exchanges that go on without their client. */
    Set<Holder> detached() {
        return detached;
    }

    /** Sets the reliefs of all event loops, before the first request. */
    void others(List<MemoryRelief> all) {
        others = all.stream().filter(each -> !isSame(each, this)).toList();
    }

    /** Frees memory soon, in a task of its own, because the caller is in the middle of its work. */
    void ask() {
        if (!asked) {
            asked = true;
            loop.execute(this::relieve);
        }
    }

    /**
     * Frees {@code bytes} for a request's body. It drops bodies that are kept only for another attempt. Then it ends
     * the slowest of the requests whose bodies are incomplete. If that is not enough, the other event loops do the same
     * soon, so that there is room when the client tries again.
     *
     * @return false if {@code asking} itself has the slowest body
     */
    boolean forRequest(int bytes, Holder asking) {
        boolean made = makeRoom(bytes, asking);
        if (!made) {
            int inAll = asking.heldOfBody() + bytes; // the refused client sends the whole body again
            long pacedNs = asking.bodyPacedNs();
            for (MemoryRelief other : others) {
                other.loop.execute(() -> other.forOther(inAll, pacedNs));
            }
        }
        return made;
    }

    /** Does the same for a body of another event loop. Ends no request with a faster body. */
    private void forOther(int bytes, long pacedNs) {
        if (dropBodies(() -> hasRoom(bytes))) {
            return;
        }
        for (Holder slowest : arriving()) {
            if (hasRoom(bytes) || slowest.bodyPacedNs() - pacedNs >= 0) {
                return;
            }
            slowest.onMemoryShort();
        }
    }

    private boolean makeRoom(int bytes, Holder asking) {
        if (dropBodies(() -> hasRoom(bytes))) {
            return true;
        }
        for (Holder slowest : arriving()) {
            if (isSame(slowest, asking)) {
                return false;
            }
            slowest.onMemoryShort();
            if (hasRoom(bytes)) {
                return true;
            }
        }
        return false;
    }

    /** The requests with incomplete bodies, the slowest first. */
    private List<Holder> arriving() {
        List<Holder> arriving = exchanges(e -> e.awaitsBody() && e.heldOfBody() > 0);
        arriving.sort(Comparator.comparingLong(Holder::bodyPacedNs));
        return arriving;
    }

    /**
     * Frees memory on this event loop. The loop that passes the limit may hold little itself, so each loop frees what
     * is above its share.
     */
    private void relieve() {
        asked = false;
        relieveFull();
        if (account().level() == MemoryAccount.Level.FULL) {
            for (MemoryRelief other : others) {
                other.loop.execute(() -> other.relieveFull());
            }
        }
    }

    private void relieveFull() {
        for (Held.Pool pool : Held.Pool.values()) {
            if (account().level(pool) == MemoryAccount.Level.FULL) {
                relieve(pool);
            }
        }
    }

    private void relieve(Held.Pool pool) {
        if (pool == Held.Pool.BUFFERS && dropBodies(() -> isRelieved(pool))) {
            return;
        }
        if (cutDetached(pool)) {
            return;
        }
        List<ClientConnection> largest = new ArrayList<>(connections);
        largest.sort(byLargest(connection -> held(connection, pool)));
        for (ClientConnection connection : largest) {
            if (isRelieved(pool) || held(connection, pool) == 0) {
                return;
            }
            cut(connection, pool);
        }
    }

    /** Ends exchanges that have no client, before those that have one; says whether that is enough. */
    private boolean cutDetached(Held.Pool pool) {
        List<Holder> largest = new ArrayList<>(detached);
        largest.sort(byLargest(exchange -> exchange.held(pool)));
        for (Holder exchange : largest) {
            if (isRelieved(pool)) {
                return true;
            }
            if (exchange.held(pool) > 0) {
                exchange.onMemoryShort();
            }
        }
        return isRelieved(pool);
    }

    private boolean isRelieved(Held.Pool pool) {
        return account().relieved(pool) || !memory.isOverShare(pool);
    }

    /** Ends requests of one connection, the largest first, until enough memory is free. */
    private void cut(ClientConnection connection, Held.Pool pool) {
        List<Holder> exchanges = exchanges(connection);
        if (exchanges.isEmpty()) {
            connection.abandon("memory is short");
        }
        if (exchanges.size() > 1) {
            exchanges.sort(byLargest(exchange -> held(connection, exchange, pool)));
        }
        for (Holder exchange : exchanges) {
            exchange.onMemoryShort();
            if (isRelieved(pool)) {
                return;
            }
        }
    }

    private static long held(ClientConnection connection, Holder exchange, Held.Pool pool) {
        return exchange.held(pool) + (pool == Held.Pool.BUFFERS ? waiting(connection, exchange) : 0);
    }

    /** The bytes that {@code connection} holds for {@code exchange}. */
    private static long waiting(ClientConnection connection, Holder exchange) {
        for (RequestListener request : connection.requests()) {
            if (isSame(SoughtAnswer.behind(request), exchange)) {
                return connection.heldBytes(request);
            }
        }
        return 0;
    }

    private static long held(ClientConnection connection, Held.Pool pool) {
        long held = pool == Held.Pool.BUFFERS ? connection.heldBytes() : 0;
        for (Holder exchange : exchanges(connection)) {
            held += exchange.held(pool);
        }
        return held;
    }

    /** Drops bodies that are kept only for another attempt, the largest first, until that is enough. */
    private boolean dropBodies(BooleanSupplier enough) {
        List<Holder> dispensable = exchanges(e -> e.heldOfBody() > 0 && e.mayDropBody());
        dispensable.sort(byLargest(Holder::heldOfBody));
        for (Holder exchange : dispensable) {
            exchange.dropBody();
            if (enough.getAsBoolean()) {
                return true;
            }
        }
        return enough.getAsBoolean();
    }

    private boolean hasRoom(int bytes) {
        return account().held(Held.REQUESTS) + bytes <= account().budget().requests();
    }

    private List<Holder> exchanges(Predicate<Holder> wanted) {
        var found = new ArrayList<Holder>();
        for (ClientConnection connection : connections) {
            for (Holder exchange : exchanges(connection)) {
                if (wanted.test(exchange)) {
                    found.add(exchange);
                }
            }
        }
        detached.stream().filter(wanted).forEach(found::add);
        return found;
    }

    private static List<Holder> exchanges(ClientConnection connection) {
        var found = new ArrayList<Holder>(1);
        for (RequestListener request : connection.requests()) {
            if (SoughtAnswer.behind(request) instanceof Holder exchange) {
                found.add(exchange);
            }
        }
        return found;
    }

    private MemoryAccount account() {
        return memory.account();
    }

    private static <T> Comparator<T> byLargest(ToLongFunction<T> size) {
        return Comparator.comparingLong(size).reversed();
    }

    @SuppressWarnings("ReferenceEquality")
    private static boolean isSame(Object one, Object other) {
        return one == other;
    }
}
