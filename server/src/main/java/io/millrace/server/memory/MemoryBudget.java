package io.millrace.server.memory;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * How many bytes may be held in all.
 *
 * @param buffers outside of the heap
 * @param heap in the heap
 */
public record MemoryBudget(long buffers, long heap) {
    /** Half of what the JVM has outside of its heap: a buffer is on average little more than half full. */
    private static final int SHARE_OF_BUFFERS = 2;
    /** Of the heap. What is held there is mostly about to be parsed, which takes as much again, or twice. */
    private static final int SHARE_OF_HEAP = 4;
    /** Of a machine whose heap leaves nothing. */
    private static final int LEAST_SHARE = 8;

    /** Requests may take half of the buffers' budget. */
    private static final int REQUESTS = 2;
    /** One request may take half of that. */
    private static final int ONE_REQUEST = 2;

    public MemoryBudget {
        if (buffers <= 0 || heap <= 0) {
            throw new IllegalArgumentException("budget: " + buffers + ", " + heap + " (expected: > 0)");
        }
    }

    /** What this JVM's limits allow, in a container too. */
    public static MemoryBudget ofJvm() {
        long heap = Runtime.getRuntime().maxMemory();
        return new MemoryBudget(buffers(maxDirect(heap), heap, machine()), heap / SHARE_OF_HEAP);
    }

    /** This with {@code bytes} outside of the heap; 0 leaves it as it is. */
    public MemoryBudget withBuffers(long bytes) {
        return bytes == 0 ? this : new MemoryBudget(bytes, heap);
    }

    /** The most that all request bodies may take together. */
    public long requests() {
        return buffers / REQUESTS;
    }

    /** The most that one request body may take. */
    public long oneRequest() {
        return requests() / ONE_REQUEST;
    }

    /** All that may be held in {@code pool}. */
    public long of(Held.Pool pool) {
        return pool == Held.Pool.BUFFERS ? buffers : heap;
    }

    /**
     * The budget outside of the heap.
     *
     * @param maxDirect the JVM's own limit
     * @param heap the most that the heap may grow to
     * @param machine the memory of the machine or container; 0 if it is not known
     */
    static long buffers(long maxDirect, long heap, long machine) {
        long there = maxDirect;
        if (machine > 0) {
            there = Math.min(there, Math.max(machine - heap, machine / LEAST_SHARE));
        }
        return Math.max(1, there / SHARE_OF_BUFFERS);
    }

    private static long maxDirect(long heap) {
        long netty = Long.getLong("io.netty.maxDirectMemory", -1);
        if (netty > 0) {
            return netty;
        }
        var hotSpot = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        long option = hotSpot == null
                ? 0
                : Long.parseLong(hotSpot.getVMOption("MaxDirectMemorySize").getValue());
        return option > 0 ? option : heap;
    }

    private static long machine() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getTotalMemorySize()
                : 0;
    }
}
