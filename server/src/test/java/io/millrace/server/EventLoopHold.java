package io.millrace.server;

import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Holds a relay's event loops, so that what the kernel has for them meanwhile comes to them at once, in its order. */
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

    /** Lets them go on. */
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
