package io.millrace.server.memory;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/**
 * Limits of the memory that may be held in all, in bytes.
 *
 * @param buffers the limit outside of the heap
 * @param heap the limit in the heap
 */
public record MemoryBudget(long buffers, long heap) {
    /** The divisor of the JVM's memory outside of the heap. Buffers are on average little more than half full. */
    private static final int SHARE_OF_BUFFERS = 2;
    /**
     * The divisor of the heap. Held data is mostly about to be parsed, which needs as much memory again, or twice as
     * much.
     */
    private static final int SHARE_OF_HEAP = 4;
    /** The divisor of the machine's memory, if the heap leaves nothing. */
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

    /** The budget from this JVM's limits. They may be those of a container. */
    public static MemoryBudget ofJvm() {
        long heap = Runtime.getRuntime().maxMemory();
        return new MemoryBudget(buffers(maxDirect(heap), heap, Machine.memory()), heap / SHARE_OF_HEAP);
    }

    /** This budget with another limit outside of the heap; 0 keeps the limit. */
    public MemoryBudget withBuffers(long bytes) {
        return bytes == 0 ? this : new MemoryBudget(bytes, heap);
    }

    /** The limit of all request bodies together. */
    public long requests() {
        return buffers / REQUESTS;
    }

    /** The limit of one request body. */
    public long oneRequest() {
        return requests() / ONE_REQUEST;
    }

    /** The limit of {@code pool}. */
    public long of(Held.Pool pool) {
        return pool == Held.Pool.BUFFERS ? buffers : heap;
    }

    /**
     * The limit outside of the heap.
     *
     * @param maxDirect the JVM's own limit
     * @param heap the largest possible heap
     * @param machine the memory of the machine or container; -1 if it is not known
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
}
