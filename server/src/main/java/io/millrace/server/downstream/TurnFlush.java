package io.millrace.server.downstream;

import java.util.concurrent.Executor;

/** Flushes one connection once at the end of the event loop's turn, for everything that was written in that turn. */
final class TurnFlush implements Runnable {
    private final Executor turnEnd;
    private final Runnable flush;
    private boolean marked;

    TurnFlush(Executor turnEnd, Runnable flush) {
        this.turnEnd = turnEnd;
        this.flush = flush;
    }

    /** Notes that something was written. */
    void mark() {
        if (!marked) {
            marked = true;
            turnEnd.execute(this);
        }
    }

    @Override
    public void run() {
        marked = false;
        flush.run();
    }
}
