package io.millrace.server.timing;

import io.netty.channel.Channel;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Closes channels that have had their time. */
public final class Closers {
    private Closers() {}

    /**
     * Closes {@code channel} after {@code ms} ms. If it is closed before, nothing keeps it: a timer that was left to
     * expire would keep the channel's objects until then, which were several thousand in a crowd of refused clients.
     * Only to be called on the channel's event loop.
     */
    public static void closeAfter(Channel channel, long ms) {
        ScheduledFuture<?> limit = channel.eventLoop().schedule(() -> channel.close(), ms, TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> limit.cancel(false));
    }
}
