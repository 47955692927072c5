package io.millrace.server.route;

import io.millrace.server.balance.OriginState;
import io.millrace.server.config.Upstream;
import io.millrace.server.upstream.CallListener;
import io.millrace.server.upstream.ConnectFailure;
import io.millrace.server.upstream.Origin;
import io.millrace.server.upstream.UpstreamCall;
import io.millrace.server.upstream.Upstreams;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Checks at an interval whether one origin works: it must answer with a status below 400 within the interval. Confined
 * to its event loop.
 */
final class OriginCheck {
    private static final int FIRST_FAILING_STATUS = 400;

    private final Upstream upstream;
    private final Origin origin;
    private final Upstreams upstreams;
    private final EventLoop loop;
    private final OriginState state;
    private @Nullable ScheduledFuture<?> timer;
    private @Nullable Check current;

    /**
     * Creates a check that has not begun.
     *
     * @param upstream an upstream with only this origin, and a probe path
     * @param upstreams the connections of the same event loop
     * @param state receives the result of each check
     */
    OriginCheck(Upstream upstream, Origin origin, Upstreams upstreams, EventLoop loop, OriginState state) {
        this.upstream = upstream;
        this.origin = origin;
        this.upstreams = upstreams;
        this.loop = loop;
        this.state = state;
    }

    /** Begins at a random time within the first interval, so that many relays do not ask at the same time. */
    void start() {
        long intervalNs = upstream.health().probeInterval().toNanos();
        long firstNs = ThreadLocalRandom.current().nextLong(intervalNs);
        timer = loop.scheduleAtFixedRate(this::check, firstNs, intervalNs, TimeUnit.NANOSECONDS);
    }

    /** Ends. The result of a check in progress is ignored. */
    void close() {
        if (timer != null) {
            timer.cancel(false);
        }
        if (current != null) {
            current.end();
        }
    }

    /** Makes one check. An origin that has not answered the check before has failed it. */
    void check() {
        if (current != null) {
            current.answered(false);
            current.end();
        }
        var next = new Check();
        current = next;
        upstreams.acquireNew(origin, next);
    }

    /** One check. It ignores events that come after its end. */
    private final class Check implements Upstreams.Waiter, CallListener {
        private @Nullable UpstreamCall call;
        private boolean answered;
        private boolean over;

        @Override
        public void onCall(UpstreamCall acquired) {
            if (over) {
                acquired.release(0);
                return;
            }
            call = acquired;
            acquired.sendWhole(request(), Unpooled.EMPTY_BUFFER, this);
        }

        @Override
        public void onConnectFailure(ConnectFailure failure) {
            switch (failure.kind()) {
                // If all connections are in use, the origin works.
                case FULL -> answered(true);
                case OWN -> answered = true;
                case UNREACHABLE, TIMEOUT -> answered(false);
            }
        }

        @Override
        public void onHead(HttpResponse head) {
            answered(head.status().code() < FIRST_FAILING_STATUS);
        }

        @Override
        public void onBody(ByteBuf content) {
            content.release();
        }

        @Override
        public void onBodyEnd() {
            abort();
        }

        @Override
        public void onBroken(Breakage breakage) {
            call = null;
            answered(false);
        }

        /** Reports the result, if there is none yet. */
        private void answered(boolean success) {
            if (!answered && !over) {
                answered = true;
                state.onCheck(success, System.nanoTime());
            }
        }

        private void end() {
            over = true;
            abort();
        }

        private void abort() {
            UpstreamCall asked = call;
            call = null;
            if (asked != null) {
                asked.abort();
            }
        }
    }

    private HttpRequest request() {
        var request = new DefaultHttpRequest(
                HttpVersion.HTTP_1_1, HttpMethod.GET, upstream.health().probePath());
        request.headers()
                .set(HttpHeaderNames.HOST, upstream.authority())
                .set(HttpHeaderNames.ACCEPT, "*/*")
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        if (upstream.credential() != null) {
            request.headers()
                    .set(upstream.credential().header(), upstream.credential().value());
        }
        return request;
    }
}
