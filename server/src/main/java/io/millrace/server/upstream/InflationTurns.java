package io.millrace.server.upstream;

import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import java.util.concurrent.Executor;

/**
 * Limits how much is inflated in one turn of the event loop, because the data of one read may grow very large. The
 * rest waits for further turns and is counted as held until then.
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

    /** Whether data is left to be inflated. */
    boolean pending() {
        return body.suspended();
    }

    /** Schedules a turn, unless one is scheduled. */
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

    /** Counts the compressed bytes that are left, and returns their number. */
    int count() {
        count(body.suspendedBytes());
        return counted;
    }

    /** Notes that no data is left. */
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
