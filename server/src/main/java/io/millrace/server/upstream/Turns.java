package io.millrace.server.upstream;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * How much work of one kind an event loop does in a turn: what is more waits for later turns, so that a crowd does not stop
 * all others while it has its way. Confined to that event loop.
 */
final class Turns {
    private final EventLoop loop;
    private final int most;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int taken;

    /** At most {@code most} pieces of work in a turn of {@code loop}. */
    Turns(EventLoop loop, int most) {
        this.loop = loop;
        this.most = most;
    }

    /** Takes a part of this turn; false if it has none left. */
    boolean take() {
        if (taken == most) {
            return false;
        }
        if (taken++ == 0) {
            loop.execute(this::end);
        }
        return true;
    }

    /** Has {@code work} done in a later turn, behind what waits already. To be called only if nothing is left of this one. */
    void later(Runnable work) {
        waiting.add(work);
    }

    private void end() {
        taken = 0;
        if (!waiting.isEmpty()) {
            loop.schedule(this::goOn, 0, TimeUnit.NANOSECONDS); // a task would still be a part of this turn
        }
    }

    private void goOn() {
        while (!waiting.isEmpty() && take()) {
            waiting.remove().run();
        }
    }
}
