package io.millrace.server.own;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Whether the event loops that relay still turn, for an event loop that does not relay: that it can answer says nothing of
 * the others. Each time it is asked it gives each loop something to do, and remembers for how long that was not done.
 * Confined to the event loop that asks.
 */
final class Pulse {
    /** Far beyond the longest turn of a loop that is only busy. */
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(30);

    private final List<Beat> beats;
    private final LongSupplier clock;

    /** The pulse of {@code loops}. */
    Pulse(List<? extends Executor> loops) {
        this(loops, System::nanoTime);
    }

    Pulse(List<? extends Executor> loops, LongSupplier clock) {
        beats = loops.stream().map(Beat::new).toList();
        this.clock = clock;
    }

    /** Whether none of them has left undone for 30 s what an earlier call gave it to do. */
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
