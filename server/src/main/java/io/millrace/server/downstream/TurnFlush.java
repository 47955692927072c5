package io.millrace.server.downstream;

import java.util.concurrent.Executor;

/**
 * Flushes one connection at the end of the event loop's turn, for all who wrote to it in that turn: a task that is added
 * from inside of the loop runs behind all events that are ready, and without a wake-up.
 */
final class TurnFlush implements Runnable {
    private final Executor loop;
    private final Runnable flush;
    private boolean marked;

    TurnFlush(Executor loop, Runnable flush) {
        this.loop = loop;
        this.flush = flush;
    }

    /** Something was written. */
    void mark() {
        if (!marked) {
            marked = true;
            loop.execute(this);
        }
    }

    @Override
    public void run() {
        marked = false;
        flush.run();
    }
}
