package io.millrace.bench.stream;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
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
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix) {
            return new Descriptors(unix.getMaxFileDescriptorCount() - unix.getOpenFileDescriptorCount() - RESERVE);
        }
        return new Descriptors(Long.MAX_VALUE);
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
