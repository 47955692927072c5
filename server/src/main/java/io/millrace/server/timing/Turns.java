package io.millrace.server.timing;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Limits how much work of one kind an event loop does in one turn. More work waits for later turns, so that a crowd
 * does not block all other clients. Confined to that event loop.
 */
public final class Turns implements Executor {
    private final EventLoop loop;
    private final int most;
    private final long longNs;
    private final LongSupplier clock;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int taken;
    private int allowed;
    private long turnNs;

    /** Allows at most {@code most} pieces of work in one turn of {@code loop}. */
    public Turns(EventLoop loop, int most) {
        this(loop, most, Long.MAX_VALUE, () -> 0);
    }

    /**
     * Allows at most {@code most} pieces of work in one turn of {@code loop}; as many for each {@code longNs} if turns
     * are longer. So the work has its share of a busy event loop. All these pieces should take much less than that time.
     */
    public Turns(EventLoop loop, int most, long longNs, LongSupplier clock) {
        this.loop = loop;
        this.most = most;
        this.longNs = longNs;
        this.clock = clock;
        allowed = most;
    }

    /** Takes one piece of this turn; false if none is left. */
    public boolean take() {
        if (taken >= allowed) {
            return false;
        }
        if (taken++ == 0) {
            loop.execute(this::end);
        }
        return true;
    }

    /** Like {@link #take}, for work that must not come before the work that waits. */
    public boolean takeBehindOthers() {
        return waiting.isEmpty() && take();
    }

    /**
     * Runs {@code work} in a later turn, after the work that waits already; the turn then takes a piece for it. Only to be
     * called if nothing is left of this turn, or if other work waits.
     */
    public void later(Runnable work) {
        waiting.add(work);
    }

    /**
     * Runs {@code work} behind what the event loop has to do in this turn, or in a later turn if nothing is left of
     * this one. For work that may ask for more work when it runs: that counts in the same turn.
     */
    @Override
    public void execute(Runnable work) {
        if (taken >= allowed || !waiting.isEmpty()) {
            later(work);
            return;
        }
        if (taken++ == 0) {
            loop.schedule(this::next, 0, TimeUnit.NANOSECONDS);
        }
        loop.execute(work);
    }

    private void next() {
        taken = 0;
        allowed = most;
        goOn();
    }

    private void end() {
        taken = 0;
        allowed = most;
        if (waiting.isEmpty()) {
            turnNs = 0;
        } else {
            loop.schedule(this::goOn, 0, TimeUnit.NANOSECONDS); // a task would run in this same turn
        }
    }

    private void goOn() {
        long nowNs = clock.getAsLong();
        if (turnNs != 0) {
            allowed = (int) Math.min(Integer.MAX_VALUE, most * Math.max(1, (nowNs - turnNs) / longNs));
        }
        turnNs = nowNs;
        while (!waiting.isEmpty() && take()) {
            waiting.remove().run();
        }
    }
}
