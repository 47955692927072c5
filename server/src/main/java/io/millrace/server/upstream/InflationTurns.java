package io.millrace.server.upstream;

import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import java.util.concurrent.Executor;

/**
 * What one read brought may be more, inflated, than is handled at once. The rest waits for further turns of the event loop
 * and is counted as held until then.
 */
final class InflationTurns implements Runnable {
    private final StreamBody body;
    private final Executor loop;
    private final Runnable turn;
    private boolean queued;
    private int counted;

    InflationTurns(StreamBody body, Executor loop, Runnable turn) {
        this.body = body;
        this.loop = loop;
        this.turn = turn;
    }

    /** Whether something is left to be inflated. */
    boolean pending() {
        return body.suspended();
    }

    /** Has a turn run soon, unless one is about to. */
    void queue() {
        if (!queued) {
            queued = true;
            loop.execute(this);
        }
    }

    @Override
    public void run() {
        queued = false;
        turn.run();
    }

    /** Counts the compressed bytes that are left, and returns how many these are. */
    int count() {
        count(body.suspendedBytes());
        return counted;
    }

    /** Nothing is left. */
    void close() {
        count(0);
    }

    private void count(int left) {
        if (left != counted) {
            LoopMemory memory = LoopMemory.current();
            if (memory != null) {
                memory.add(Held.INFLATING, left - counted);
            }
            counted = left;
        }
    }
}
