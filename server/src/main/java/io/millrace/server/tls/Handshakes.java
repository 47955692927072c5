package io.millrace.server.tls;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;

/** The handshakes of a process: how many are in progress, how many may be, and why others failed. For any thread. */
final class Handshakes {
    private final IntSupplier most;
    private final AtomicInteger open = new AtomicInteger();
    private final Map<HandshakeFailure, Long> failures = new ConcurrentHashMap<>();

    /** Begins without handshakes; {@code most} is asked at the begin of each one. */
    Handshakes(IntSupplier most) {
        this.most = most;
    }

    /** How many are in progress now. */
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

    /** Takes a place for one more handshake; {@link #end} gives the place back. */
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
