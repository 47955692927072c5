package io.millrace.server.timing;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One coarse timer per event loop, in place of several precise timers per stream. At each period it calls all members
 * with the time. So a deadline costs nothing per frame, and only a place in a list per stream. Confined to its event
 * loop.
 */
public final class Sweeper {
    private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);

    private final EventLoop loop;
    private long periodNs;
    private final ArrayList<Registration> registrations = new ArrayList<>();
    private @Nullable ScheduledFuture<?> timer;
    private long dueNs;
    private LongConsumer lateness = lateNs -> {};

    /** Something with deadlines. */
    public interface Sweepable {
        /** Looks at the deadlines. May remove this or others from the sweeper. */
        void onSweep(long nowNs);
    }

    /** A place in the sweep. */
    public final class Registration {
        private final Sweepable member;
        private int index;

        private Registration(Sweepable member, int index) {
            this.member = member;
            this.index = index;
        }

        /** Removes the member. The second call does nothing. The timer stops when no member is left. */
        public void cancel() {
            if (index >= 0) {
                remove(this);
            }
        }
    }

    public Sweeper(EventLoop loop, long periodNs) {
        this.loop = loop;
        this.periodNs = periodNs;
    }

    /** The event loop whose deadlines this checks. */
    public EventLoop loop() {
        return loop;
    }

    /** Registers {@code member} until the registration is cancelled. */
    public Registration add(Sweepable member) {
        var registration = new Registration(member, registrations.size());
        registrations.add(registration);
        if (timer == null) {
            start();
        }
        return registration;
    }

    /** Changes the period from now on. */
    public void period(long newPeriodNs) {
        if (newPeriodNs == periodNs) {
            return;
        }
        periodNs = newPeriodNs;
        if (timer != null) {
            timer.cancel(false);
            start();
        }
    }

    /** Tells {@code listener} at each sweep by how many nanoseconds it is late. */
    public void measure(LongConsumer listener) {
        lateness = listener;
    }

    /** The number of members. */
    public int size() {
        return registrations.size();
    }

    private void start() {
        dueNs = System.nanoTime() + periodNs;
        timer = loop.scheduleWithFixedDelay(this::sweep, periodNs, periodNs, TimeUnit.NANOSECONDS);
    }

    private void remove(Registration registration) {
        Registration last = registrations.remove(registrations.size() - 1);
        if (last != registration) {
            registrations.set(registration.index, last);
            last.index = registration.index;
        }
        registration.index = -1;
        if (registrations.isEmpty() && timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private void sweep() {
        long nowNs = System.nanoTime();
        lateness.accept(nowNs - dueNs);
        // Backwards, because a removal moves the last member to the removed place.
        for (int i = registrations.size() - 1; i >= 0; i--) {
            if (i < registrations.size()) {
                sweep(registrations.get(i).member, nowNs);
            }
        }
        dueNs = System.nanoTime() + periodNs;
    }

    /** Calls one member. Its failure must not end the deadlines of the others. */
    private static void sweep(Sweepable member, long nowNs) {
        try {
            member.onSweep(nowNs);
        } catch (RuntimeException | OutOfMemoryError | StackOverflowError e) {
            LOG.warn("a deadline could not be enforced", e);
        }
    }
}
