package io.millrace.server.own;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Checks whether the event loops that relay still run, for an event loop that does not relay. Its own answer says
 * nothing about the others. At each check it gives each loop a task, and notes since when a task has not run. Confined
 * to the event loop that checks.
 */
final class Pulse {
    /** Far longer than the longest turn of a loop that is only busy. */
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(30);

    private final List<Beat> beats;
    private final LongSupplier clock;

    /** Checks {@code loops}. */
    Pulse(List<? extends Executor> loops) {
        this(loops, System::nanoTime);
    }

    Pulse(List<? extends Executor> loops, LongSupplier clock) {
        beats = loops.stream().map(Beat::new).toList();
        this.clock = clock;
    }

    /** Whether each loop has run the task of an earlier call within 30 s. */
    boolean isAlive() {
        boolean alive = true;
        for (Beat beat : beats) {
            alive &= beat.isAlive(clock.getAsLong());
        }
        return alive;
    }

    private static final class Beat {
        private final Executor loop;
        private volatile boolean asked;
        private long sinceNs;

        Beat(Executor loop) {
            this.loop = loop;
        }

        boolean isAlive(long nowNs) {
            if (asked) {
                return nowNs - sinceNs < LIMIT_NS;
            }
            asked = true;
            sinceNs = nowNs;
            loop.execute(() -> asked = false);
            return true;
        }
    }
}
