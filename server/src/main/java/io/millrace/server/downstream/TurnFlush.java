package io.millrace.server.downstream;

import java.util.concurrent.Executor;

/**
 * Flushes one connection once at the end of the event loop's turn, for everything that was written in that turn. A
 * task that is added on the loop runs after all ready events, and needs no wake-up.
 */
final class TurnFlush implements Runnable {
    private final Executor loop;
    private final Runnable flush;
    private boolean marked;

    TurnFlush(Executor loop, Runnable flush) {
        this.loop = loop;
        this.flush = flush;
    }

    /** Notes that something was written. */
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
