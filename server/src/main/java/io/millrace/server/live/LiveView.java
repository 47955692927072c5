package io.millrace.server.live;

import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.http.Refusal;
import io.netty.channel.EventLoop;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The requests in progress for those who watch them. Any thread may ask. */
public final class LiveView {
    /** Each watcher costs. */
    private static final int MOST_WATCHERS = 16;

    private static final Refusal TOO_MANY =
            Refusal.of(503, "relay_busy", "Too many pages watch this relay. Close one of them.");

    private final LiveSource source;
    private final AtomicInteger watchers = new AtomicInteger();

    public LiveView(LiveSource source) {
        this.source = source;
    }

    /** Why there can be no further watcher now; null if there can. */
    public @Nullable Refusal refusal() {
        return watchers.get() >= MOST_WATCHERS ? TOO_MANY : null;
    }

    /**
     * Who answers a request to watch.
     *
     * @param query of its target, with the question mark
     * @param done runs once, before the answer, or when the client has closed
     */
    public RequestListener watch(ClientStream downstream, String query, Runnable done) {
        watchers.incrementAndGet();
        return new LiveExchange(downstream, LiveQuery.of(query), source, done, watchers::decrementAndGet);
    }

    /** Ends a request in progress, as {@link LiveSource#stop} does. */
    public void stop(String id, EventLoop asking, Consumer<Boolean> told) {
        source.stop(id, asking, told);
    }
}
