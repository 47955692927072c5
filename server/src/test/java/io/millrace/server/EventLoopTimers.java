package io.millrace.server;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.AbstractScheduledEventExecutor;
import io.netty.util.concurrent.EventExecutor;
import java.util.Collection;

/** Counts the timers of a relay's event loops. */
public final class EventLoopTimers {
    private EventLoopTimers() {}

    /** The number of timers. The sweep of a loop with members is one, and so is each wait of an exchange. */
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
