package io.millrace.server.memory;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What the JVM tells about this process and its machine, or its container. A value is -1 if the JVM cannot tell it: not
 * every JVM has these beans, and JDK 17 throws a {@link NullPointerException} when it makes them in a container whose
 * cgroups are of both versions.
 */
public final class Machine {
    private Machine() {}

    /** The memory of the machine or container, in bytes, or -1. */
    public static long memory() {
        return ask(OperatingSystemMXBean.class, OperatingSystemMXBean::getTotalMemorySize, -1L);
    }

    /** The share of all processors that is in use since the last call, 0 to 1, or -1. */
    public static double cpuLoad() {
        return ask(OperatingSystemMXBean.class, OperatingSystemMXBean::getCpuLoad, -1.0);
    }

    /** The processor time of this process, in nanoseconds, or -1. */
    public static long processCpuNs() {
        return ask(OperatingSystemMXBean.class, OperatingSystemMXBean::getProcessCpuTime, -1L);
    }

    /** The descriptors that this process has open, or -1. */
    public static long openDescriptors() {
        return ask(UnixOperatingSystemMXBean.class, UnixOperatingSystemMXBean::getOpenFileDescriptorCount, -1L);
    }

    /** The descriptors that this process may have open, or -1. */
    public static long maxDescriptors() {
        return ask(UnixOperatingSystemMXBean.class, UnixOperatingSystemMXBean::getMaxFileDescriptorCount, -1L);
    }

    private static <T, V> V ask(Class<T> kind, Function<T, V> value, V unknown) {
        return ask(ManagementFactory::getOperatingSystemMXBean, kind, value, unknown);
    }

    static <T, V> V ask(Supplier<?> beans, Class<T> kind, Function<T, V> value, V unknown) {
        try {
            Object bean = beans.get();
            return kind.isInstance(bean) ? value.apply(kind.cast(bean)) : unknown;
        } catch (RuntimeException | LinkageError e) {
            return unknown;
        }
    }
}
