package io.millrace.server.live;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A request to watch the streams in progress. It asks all event loops at most twice a second, and more rarely if the
 * answers take longer, so that they take only a small share of a loop's time. While its client takes nothing, it asks
 * none. Confined to the event loop of its client.
 */
final class LiveExchange implements RequestListener {
    private static final long PERIOD_NS = TimeUnit.MILLISECONDS.toNanos(500);
    /** How much longer than for the feed an event loop works for others: the feed gets a third of a percent of a core. */
    private static final long PAUSE_FACTOR = 300;

    private final ClientStream downstream;
    private final LiveQuery query;
    private final LiveSource source;
    private final Runnable done;
    private final Runnable left;
    private final LiveFeed feed = new LiveFeed(System.nanoTime());
    private @Nullable ScheduledFuture<?> timer;
    private long lastBusyNs;
    private boolean begun;
    private boolean over;

    /**
     * A request that has just come.
     *
     * @param done runs once, before the answer, or when the client has closed
     * @param left runs once, when it is over
     */
    LiveExchange(ClientStream downstream, LiveQuery query, LiveSource source, Runnable done, Runnable left) {
        this.downstream = downstream;
        this.query = query;
        this.source = source;
        this.done = done;
        this.left = left;
    }

    /** The answers of the event loops to one question. */
    private final class Round {
        private final Tally all = new Tally(query, System.nanoTime());
        private int awaited;
        private long longestNs;

        void begin() {
            List<LiveSource.Loop> loops = source.loops();
            awaited = loops.size();
            for (LiveSource.Loop loop : loops) {
                var its = new Tally(query, all.nowNs());
                loop.show(its::add, tookNs -> pass(() -> onShown(its, tookNs)));
            }
        }

        /** Runs {@code answer} on the watcher's event loop, unless the relay has stopped it. */
        private void pass(Runnable answer) {
            try {
                downstream.eventLoop().execute(answer);
            } catch (RejectedExecutionException e) {
                // It watches no more.
            }
        }

        private void onShown(Tally its, long tookNs) {
            all.addAll(its);
            longestNs = Math.max(longestNs, tookNs);
            if (--awaited == 0 && !over) {
                onRound(all, longestNs);
            }
        }
    }

    @Override
    public void onRequestBody(ByteBuf content) {
        content.release();
    }

    @Override
    public void onRequestEnd() {
        if (over) {
            return;
        }
        begun = true;
        done.run();
        HttpHeaders headers = new DefaultHttpHeaders();
        headers.set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream");
        headers.set(HttpHeaderNames.CACHE_CONTROL, "no-store");
        headers.set("x-content-type-options", "nosniff");
        headers.set("x-accel-buffering", "no");
        downstream.writeHead(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, headers));
        downstream.flush();
        new Round().begin();
    }

    @Override
    public void onRequestRefused(int status, String code, String message) {
        if (!over) {
            end();
            byte[] json = Dialect.CHAT.errorBody(status, code, message, null, null);
            downstream.respond(status, json, new DefaultHttpHeaders());
        }
    }

    @Override
    public void onClientGone(String reason) {
        if (!over) {
            end();
        }
    }

    private void onRound(Tally tally, long longestNs) {
        long fromNs = CpuTime.nowNs();
        if (downstream.isWritable()) {
            downstream.writeBody(Unpooled.wrappedBuffer(
                    feed.streams(tally),
                    feed.upstreams(source.upstreams(), tally.nowNs()),
                    feed.history(source.history())));
            downstream.flush();
        }
        if (over) {
            return;
        }
        if (source.isDraining() && tally.total() == 0) {
            end();
            downstream.end();
            return;
        }
        long busyNs = Math.max(longestNs, CpuTime.nowNs() - fromNs);
        long pauseNs = pauseNs(Math.min(busyNs, lastBusyNs));
        lastBusyNs = busyNs;
        next(pauseNs);
    }

    /** Begins a round after {@code pauseNs}, or when the client takes data again. */
    private void next(long pauseNs) {
        timer = downstream
                .eventLoop()
                .schedule(
                        () -> {
                            if (downstream.isWritable() || source.isDraining()) {
                                new Round().begin();
                            } else {
                                next(PERIOD_NS);
                            }
                        },
                        pauseNs,
                        TimeUnit.NANOSECONDS);
    }

    /**
     * The time until the next round.
     *
     * @param busyNs for which an event loop has worked for a round; of two rounds the less, since one may have met
     *     another delay
     */
    static long pauseNs(long busyNs) {
        return Math.max(PERIOD_NS, PAUSE_FACTOR * busyNs);
    }

    private void end() {
        over = true;
        if (timer != null) {
            timer.cancel(false);
        }
        if (!begun) {
            done.run();
        }
        left.run();
    }
}
