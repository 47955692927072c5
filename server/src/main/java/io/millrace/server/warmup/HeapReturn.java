package io.millrace.server.warmup;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Gives the part of the heap that was used once, and is free, back to the kernel. G1 does so only with what it takes off
 * the heap. A smaller heap would then grow with each crowd of clients, and each time G1 would use new memory for its
 * young generation and keep the old. So the heap shrinks, and has its former size again at once, in memory that is
 * untouched.
 */
final class HeapReturn {
    private static final String LEAST_FREE = "MinHeapFreeRatio";
    private static final String MOST_FREE = "MaxHeapFreeRatio";
    private static final int ALL = 100;
    /** The free share of the heap that is shrunk. */
    private static final int SHRUNK_FREE = 20;
    /** A thread of G1 gives memory back, up to 128 MiB at once. What it has not given back would be used again. */
    private static final long UNCOMMIT_NS = TimeUnit.SECONDS.toNanos(1);

    private final HotSpotDiagnosticMXBean jvm;

    private HeapReturn(HotSpotDiagnosticMXBean jvm) {
        this.jvm = jvm;
    }

    /** Collects the heap twice, which stops all threads for some 30 ms each time. Does nothing if this JVM has no G1. */
    static void run() {
        var jvm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        if (jvm != null && new HeapReturn(jvm).isG1()) {
            new HeapReturn(jvm).shrinkAndGrow();
        }
    }

    private boolean isG1() {
        return Boolean.parseBoolean(value("UseG1GC")) && !Boolean.parseBoolean(value("ExplicitGCInvokesConcurrent"));
    }

    private void shrinkAndGrow() {
        String leastFree = value(LEAST_FREE);
        String mostFree = value(MOST_FREE);
        long size = Runtime.getRuntime().totalMemory();
        try {
            collect(0, SHRUNK_FREE);
            LockSupport.parkNanos(UNCOMMIT_NS);
            long used =
                    Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
            collect(freeShare(used, size), ALL);
        } finally {
            jvm.setVMOption(LEAST_FREE, "0"); // never more than the other one
            jvm.setVMOption(MOST_FREE, mostFree);
            jvm.setVMOption(LEAST_FREE, leastFree);
        }
    }

    /** Collects the heap. Afterwards these shares of it are free, in percent. */
    private void collect(int leastFree, int mostFree) {
        jvm.setVMOption(LEAST_FREE, "0");
        jvm.setVMOption(MOST_FREE, Integer.toString(mostFree));
        jvm.setVMOption(LEAST_FREE, Integer.toString(leastFree));
        System.gc();
    }

    /** The share of {@code size} that is free, in percent, rounded down. */
    static int freeShare(long used, long size) {
        return (int) Math.max(0, ALL - 1 - used * ALL / size);
    }

    private String value(String option) {
        return jvm.getVMOption(option).getValue();
    }
}
