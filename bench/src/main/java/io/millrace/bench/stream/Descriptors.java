package io.millrace.bench.stream;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many connections a load may have open, so that the process keeps descriptors for itself. Without one, the JVM
 * cannot even load a class. Thread-safe.
 */
final class Descriptors {
    private static final long RESERVE = 64;

    private final AtomicLong left;

    Descriptors(long limit) {
        left = new AtomicLong(limit);
    }

    /** Those that the process may still open, less a reserve. */
    static Descriptors ofProcess() {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix) {
            return new Descriptors(unix.getMaxFileDescriptorCount() - unix.getOpenFileDescriptorCount() - RESERVE);
        }
        return new Descriptors(Long.MAX_VALUE);
    }

    /** Takes one; false if none is left. */
    boolean take() {
        if (left.decrementAndGet() >= 0) {
            return true;
        }
        left.incrementAndGet();
        return false;
    }

    /** Gives one back. */
    void giveBack() {
        left.incrementAndGet();
    }
}
