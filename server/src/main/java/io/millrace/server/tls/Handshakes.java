package io.millrace.server.tls;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;

/** The handshakes of a process: how many there may be at once, and how those that failed did. For any thread. */
final class Handshakes {
    private final IntSupplier most;
    private final AtomicInteger open = new AtomicInteger();
    private final Map<HandshakeFailure, Long> failures = new ConcurrentHashMap<>();

    /** None so far; {@code most} is asked for each one that begins. */
    Handshakes(IntSupplier most) {
        this.most = most;
    }

    /** How many there are now. */
    int open() {
        return open.get();
    }

    /** How many have failed, by reason. */
    Map<String, Long> failures() {
        var counts = new TreeMap<String, Long>();
        for (HandshakeFailure reason : HandshakeFailure.values()) {
            counts.put(reason.label(), failures.getOrDefault(reason, 0L));
        }
        return counts;
    }

    /** Takes a place for one more, which {@link #end} gives back. */
    boolean begin() {
        if (open.incrementAndGet() <= most.getAsInt()) {
            return true;
        }
        open.decrementAndGet();
        return false;
    }

    void end() {
        open.decrementAndGet();
    }

    void failed(HandshakeFailure reason) {
        failures.merge(reason, 1L, Long::sum);
    }
}
