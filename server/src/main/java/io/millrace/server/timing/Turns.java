package io.millrace.server.timing;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * Limits how much work of one kind an event loop does in one turn. More work waits for later turns, so that a crowd
 * does not block all other clients. Confined to that event loop.
 */
public final class Turns {
    private final EventLoop loop;
    private final int most;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int taken;

    /** Allows at most {@code most} pieces of work in one turn of {@code loop}. */
    public Turns(EventLoop loop, int most) {
        this.loop = loop;
        this.most = most;
    }

    /** Takes one piece of this turn; false if none is left. */
    public boolean take() {
        if (taken == most) {
            return false;
        }
        if (taken++ == 0) {
            loop.execute(this::end);
        }
        return true;
    }

    /**
     * Runs {@code work} in a later turn, after the work that waits already. Only to be called if nothing is left of
     * this turn.
     */
    public void later(Runnable work) {
        waiting.add(work);
    }

    private void end() {
        taken = 0;
        if (!waiting.isEmpty()) {
            loop.schedule(this::goOn, 0, TimeUnit.NANOSECONDS); // a task would run in this same turn
        }
    }

    private void goOn() {
        while (!waiting.isEmpty() && take()) {
            waiting.remove().run();
        }
    }
}
