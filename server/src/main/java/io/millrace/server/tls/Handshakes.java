package io.millrace.server.tls;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The handshakes of a process: how many are in progress, how many may be, which wait for a place, and why others failed.
 * For any thread.
 */
final class Handshakes {
    private final IntSupplier most;
    private final Set<Waiting> waiting = new LinkedHashSet<>();
    private final Map<HandshakeFailure, Long> failures = new ConcurrentHashMap<>();
    private int open;

    /** A handshake that waits for a place. */
    interface Waiting {
        /** It has a place now, which {@link #end} gives back. Called on any thread. */
        void onPlace();
    }

    /** Begins without handshakes; {@code most} is asked at the begin of each one. */
    Handshakes(IntSupplier most) {
        this.most = most;
    }

    /** How many are in progress now. */
    synchronized int open() {
        return open;
    }

    /** How many wait now. */
    synchronized int waiting() {
        return waiting.size();
    }

    /** How many have failed, by reason. */
    Map<String, Long> failures() {
        var counts = new TreeMap<String, Long>();
        for (HandshakeFailure reason : HandshakeFailure.values()) {
            counts.put(reason.label(), failures.getOrDefault(reason, 0L));
        }
        return counts;
    }

    /**
     * Takes a place for {@code next}; {@link #end} gives the place back. If there is none, {@code next} waits behind the
     * others that do.
     *
     * @return whether it has a place
     */
    synchronized boolean begin(Waiting next) {
        boolean place = takePlace();
        if (!place) {
            waiting.add(next);
        }
        return place;
    }

    /** One that waited is over. It may have got a place before. */
    synchronized void leave(Waiting over) {
        waiting.remove(over);
    }

    /** Gives a place back. Those that wait longest get what is free. */
    void end() {
        synchronized (this) {
            open--;
        }
        for (Waiting next = poll(); next != null; next = poll()) {
            next.onPlace();
        }
    }

    void failed(HandshakeFailure reason) {
        failures.merge(reason, 1L, Long::sum);
    }

    private synchronized @Nullable Waiting poll() {
        Iterator<Waiting> first = waiting.iterator();
        if (!first.hasNext() || !takePlace()) {
            return null;
        }
        Waiting next = first.next();
        first.remove();
        return next;
    }

    private boolean takePlace() {
        boolean place = open < most.getAsInt();
        open += place ? 1 : 0;
        return place;
    }
}
