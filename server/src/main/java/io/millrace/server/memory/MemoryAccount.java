package io.millrace.server.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * What the process holds, and what it may. Each event loop counts its own; any thread may ask. The marks are soft: between
 * two event loops a few reads may pass them.
 */
public final class MemoryAccount {
    /** How much of a budget is taken. */
    public enum Level {
        /** There is room. */
        ROOMY,
        /** New streams are refused, and who does not take what waits for it is not read for. */
        TIGHT,
        /** The largest are cut. */
        FULL
    }

    private final List<LoopMemory> loops;
    private volatile MemoryBudget budget;

    /** An account of {@code loops} event loops. */
    public MemoryAccount(int loops, MemoryBudget budget) {
        this.budget = budget;
        var own = new ArrayList<LoopMemory>();
        for (int i = 0; i < loops; i++) {
            own.add(new LoopMemory(this));
        }
        this.loops = List.copyOf(own);
    }

    /** The part of the event loop with this number. */
    public LoopMemory loop(int number) {
        return loops.get(number);
    }

    /** What may be held. */
    public MemoryBudget budget() {
        return budget;
    }

    /** Sets what may be held from now on. */
    public void budget(MemoryBudget budget) {
        this.budget = budget;
    }

    /** Bytes of this kind that all loops hold now. */
    public long held(Held kind) {
        long sum = 0;
        for (int i = 0; i < loops.size(); i++) {
            sum += loops.get(i).held(kind);
        }
        return sum;
    }

    /** Bytes that all loops hold in {@code pool} now. */
    public long held(Held.Pool pool) {
        long sum = 0;
        for (int i = 0; i < loops.size(); i++) {
            sum += loops.get(i).held(pool);
        }
        return sum;
    }

    /** How full the fuller of the two pools is. */
    public Level level() {
        Level buffers = level(Held.Pool.BUFFERS);
        Level heap = level(Held.Pool.HEAP);
        return buffers.compareTo(heap) > 0 ? buffers : heap;
    }

    /** How full {@code pool} is. */
    public Level level(Held.Pool pool) {
        long held = held(pool);
        long most = budget.of(pool);
        if (held > most) {
            return Level.FULL;
        }
        return held > tight(most) ? Level.TIGHT : Level.ROOMY;
    }

    /** Whether enough has been cut from {@code pool}. */
    public boolean relieved(Held.Pool pool) {
        return held(pool) <= tight(budget.of(pool));
    }

    /** What each loop may hold of {@code pool} when it is relieved. */
    long share(Held.Pool pool) {
        return tight(budget.of(pool)) / loops.size();
    }

    private static long tight(long most) {
        return most / 4 * 3;
    }
}
