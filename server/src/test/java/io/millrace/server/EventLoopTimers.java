package io.millrace.server;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.AbstractScheduledEventExecutor;
import io.netty.util.concurrent.EventExecutor;
import java.util.Collection;

/** Counts the timers that a relay's event loops have set. */
public final class EventLoopTimers {
    private EventLoopTimers() {}

    /** How many there are: the sweep of a loop that has somebody registered is one, and so is each wait of an exchange. */
    public static int count(RelayServer relay) throws Exception {
        int timers = 0;
        for (EventExecutor loop : relay.eventLoops()) {
            timers += loop.submit(() -> count((EventLoop) loop)).get();
        }
        return timers;
    }

    /** Netty shows the timers of an event loop to nobody. */
    private static int count(EventLoop loop) throws ReflectiveOperationException {
        var field = AbstractScheduledEventExecutor.class.getDeclaredField("scheduledTaskQueue");
        field.setAccessible(true);
        var queue = (Collection<?>) field.get(loop);
        return queue == null ? 0 : queue.size();
    }
}
