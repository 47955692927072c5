package io.millrace.server.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * The memory that the process holds, and its limits. Each event loop counts its own. Any thread may read. The limits
 * are soft: a few reads may exceed them before another event loop notices.
 */
public final class MemoryAccount {
    /** How much of a budget is used. */
    public enum Level {
        /** There is room. */
        ROOMY,
        /** New streams are refused. The relay does not read for clients that do not take their output. */
        TIGHT,
        /** The largest exchanges are cut. */
        FULL
    }

    private final List<LoopMemory> loops;
    private volatile MemoryBudget budget;

    /** Creates an account of {@code loops} event loops. */
    public MemoryAccount(int loops, MemoryBudget budget) {
        this.budget = budget;
        var own = new ArrayList<LoopMemory>();
        for (int i = 0; i < loops; i++) {
            own.add(new LoopMemory(this));
        }
        this.loops = List.copyOf(own);
    }

    /** The account of the event loop with this number. */
    public LoopMemory loop(int number) {
        return loops.get(number);
    }

    /** The current limits. */
    public MemoryBudget budget() {
        return budget;
    }

    /** Sets the limits from now on. */
    public void budget(MemoryBudget budget) {
        this.budget = budget;
    }

    /** The bytes of this kind that all loops hold. */
    public long held(Held kind) {
        long sum = 0;
        for (int i = 0; i < loops.size(); i++) {
            sum += loops.get(i).held(kind);
        }
        return sum;
    }

    /** The bytes that all loops hold in {@code pool}. */
    public long held(Held.Pool pool) {
        long sum = 0;
        for (int i = 0; i < loops.size(); i++) {
            sum += loops.get(i).held(pool);
        }
        return sum;
    }

    /** The level of the fuller pool. */
    public Level level() {
        Level buffers = level(Held.Pool.BUFFERS);
        Level heap = level(Held.Pool.HEAP);
        return buffers.compareTo(heap) > 0 ? buffers : heap;
    }

    /** The level of {@code pool}. */
    public Level level(Held.Pool pool) {
        long held = held(pool);
        long most = budget.of(pool);
        if (held > most) {
            return Level.FULL;
        }
        return held > tight(most) ? Level.TIGHT : Level.ROOMY;
    }

    /** Whether enough of {@code pool} was released. */
    public boolean relieved(Held.Pool pool) {
        return held(pool) <= tight(budget.of(pool));
    }

    /** The share of {@code pool} that each loop may hold while it is relieved. */
    long share(Held.Pool pool) {
        return tight(budget.of(pool)) / loops.size();
    }

    private static long tight(long most) {
        return most / 4 * 3;
    }
}
