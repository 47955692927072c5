package io.millrace.bench.stream;

import io.millrace.server.memory.Machine;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Limits the connections of a load, so that the process keeps descriptors for other uses. Without a free descriptor,
 * the JVM cannot even load a class. Thread-safe.
 */
final class Descriptors {
    private static final long RESERVE = 64;

    private final AtomicLong left;

    Descriptors(long limit) {
        left = new AtomicLong(limit);
    }

    /** The descriptors that the process may still open, minus a reserve. */
    static Descriptors ofProcess() {
        long most = Machine.maxDescriptors();
        return new Descriptors(most < 0 ? Long.MAX_VALUE : most - Machine.openDescriptors() - RESERVE);
    }

    /** Takes a descriptor; false if none is left. */
    boolean take() {
        if (left.decrementAndGet() >= 0) {
            return true;
        }
        left.incrementAndGet();
        return false;
    }

    /** Gives a descriptor back. */
    void giveBack() {
        left.incrementAndGet();
    }
}
