package io.millrace.server;

import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Stops a relay's event loops for a time. The events of the kernel in that time then reach them at once, in their
 * order.
 */
public final class EventLoopHold {
    private final CountDownLatch over = new CountDownLatch(1);

    private EventLoopHold() {}

    /** Returns when all event loops are held. */
    public static EventLoopHold on(RelayServer relay) throws Exception {
        var hold = new EventLoopHold();
        for (EventExecutor loop : relay.eventLoops()) {
            // A turn of its own: the kernel tells first of what it told of in the turn before.
            loop.schedule(() -> {}, 1, TimeUnit.MILLISECONDS).get();
            var begun = new CountDownLatch(1);
            loop.execute(() -> {
                begun.countDown();
                hold.await();
            });
            begun.await();
        }
        return hold;
    }

    /** Lets the event loops continue. */
    public void release() {
        over.countDown();
    }

    private void await() {
        try {
            over.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
