package io.millrace.server.relay;

import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Disconnect;
import io.millrace.server.config.Route;
import io.millrace.server.downstream.DownstreamConnection;
import io.millrace.server.upstream.UpstreamConnection;
import io.millrace.server.upstream.UpstreamListener;
import io.millrace.server.upstream.UpstreamPool;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * One attempt of an exchange at one upstream: gets a connection, sends the request, and takes what comes back. Once it is
 * abandoned it is deaf: what its connection still reports changes nothing. Confined to the exchange's event loop.
 */
final class Attempt implements UpstreamListener, UpstreamPool.Waiter {
    /** Even a grace of zero leaves the loop to others before it is asked again. */
    private static final long MIN_GRACE_NS = TimeUnit.MILLISECONDS.toNanos(1);
    /** A reused connection that closes later than this after the request was no stale one: the upstream has worked. */
    private static final long STALE_NS = TimeUnit.SECONDS.toNanos(1);

    private final Exchange exchange;
    private final RelayLoop loop;
    private final DownstreamConnection downstream;
    private final ClientRequest request;
    private final RequestBody body;
    private final Timeline timeline;
    private final Route route;
    private final RelaySettings.Destination destination;
    private UpstreamConnection upstream;
    private StreamRelay stream;
    private PlainRelay plain;
    private ScheduledFuture<?> grace;
    private boolean closed;
    private boolean headSent;
    private boolean retriedStale;
    private boolean upstreamPaused;
    private long upstreamFullNs;
    private long sentNs;

    Attempt(
            Exchange exchange,
            RelayLoop loop,
            DownstreamConnection downstream,
            ClientRequest request,
            Timeline timeline,
            Route route,
            RelaySettings.Destination destination) {
        this.exchange = exchange;
        this.loop = loop;
        this.downstream = downstream;
        this.request = request;
        body = request.body();
        this.timeline = timeline;
        this.route = route;
        this.destination = destination;
    }

    /** Begins: asks for a connection. */
    void start() {
        connect(false);
    }

    /** Whether the request is on its way, so that the body follows it as it comes. */
    boolean isSending() {
        return headSent;
    }

    /** The event stream that came, or null. */
    StreamRelay stream() {
        return stream;
    }

    /** Whether a part of a response that is no event stream is with the client. */
    boolean plainStarted() {
        return plain != null && plain.started();
    }

    /** Body bytes of a response that is no event stream. */
    long plainBytes() {
        return plain == null ? 0 : plain.bodyBytes();
    }

    /** What was asked for with a key of ours, or null. */
    Credential credential() {
        return destination.upstream().credential();
    }

    /** Sends a part of the request's body on; ownership is transferred. */
    void sendBody(ByteBuf content) {
        upstream.sendBody(content);
    }

    /** Stops reading the client's request while the upstream does not take it. */
    void pauseIfFull() {
        if (upstream.isWritable()) {
            return;
        }
        upstream.flush();
        if (!upstream.isWritable() && upstreamFullNs == 0) {
            upstreamFullNs = System.nanoTime();
            downstream.reading(false);
        }
    }

    /** All that one read of the client brought is here. */
    void onRequestReadComplete() {
        if (headSent) {
            upstream.flush();
        } else if (upstream != null && !exchange.needsWholeBody()) {
            sendRequest();
        }
    }

    /** The request is complete. */
    void onRequestEnd() {
        upstreamFullNs = 0;
        if (headSent) {
            upstream.endRequest();
        } else if (upstream != null) {
            sendRequest();
        }
    }

    @Override
    public void onConnection(UpstreamConnection connection) {
        if (closed) {
            connection.giveBack();
            return;
        }
        upstream = connection;
        timeline.connectedNs = System.nanoTime();
        // What the same read still brings is mostly the rest of the request, which then leaves in one piece.
        if (request.complete() || (!exchange.needsWholeBody() && !downstream.inRead())) {
            sendRequest();
        }
    }

    @Override
    public void onConnectFailure(UpstreamPool.ConnectFailure failure) {
        if (closed) {
            return;
        }
        if (failure.full()) {
            exchange.fail(503, "upstream_busy", failure.detail());
        } else if (failure.timeout()) {
            exchange.fail(504, "upstream_connect_timeout", failure.detail());
        } else {
            exchange.fail(502, "upstream_unreachable", failure.detail());
        }
    }

    @Override
    public void onHead(HttpResponse head) {
        timeline.headNs = System.nanoTime();
        timeline.lastByteNs = timeline.headNs;
        boolean bodiless = request.method().equals(HttpMethod.HEAD);
        if (Heads.isEventStream(head) && !bodiless) {
            beginStream(head);
        } else if (stream != null && stream.started()) {
            // Early heartbeats have committed the client to a stream.
            abort();
            exchange.end(Ending.withError(
                    RelayError.UPSTREAM_ERROR,
                    "The upstream answered " + head.status().code()));
        } else {
            beginPlain(head);
        }
    }

    @Override
    public void onBody(ByteBuf content) {
        timeline.lastByteNs = System.nanoTime();
        if (plain != null) {
            plain.onBody(content);
        } else {
            content.release();
        }
    }

    @Override
    public void onBodyEnd() {
        if (closed) {
            return;
        }
        if (stream != null) {
            Ending ending = stream.endingAtBodyEnd();
            upstream.release(0);
            exchange.end(ending);
        } else {
            plain.onBodyEnd();
            upstream.release(0);
            exchange.onPlainEnd();
        }
    }

    @Override
    public void onReadComplete() {
        if (closed) {
            return;
        }
        if (stream == null) {
            if (plain != null) {
                plain.onReadComplete();
            }
        } else if (stream.complete()) {
            completeStream();
            return;
        } else {
            stream.onReadComplete();
            if (stream.nearlyComplete() && grace == null) {
                startGrace();
            }
        }
        if (!downstream.isWritable() && !upstreamPaused) {
            upstreamPaused = true;
            upstream.reading(false);
        }
    }

    @Override
    public void onBroken(Breakage breakage) {
        if (closed) {
            return;
        }
        UpstreamConnection broken = upstream;
        upstream = null;
        if (stream != null && stream.started()) {
            exchange.end(stream.endingAtBreak(breakage));
        } else if (breakage.kind() == Breakage.Kind.CLOSED_UNUSED && mayRetryStale(broken)) {
            retriedStale = true;
            headSent = false;
            downstream.reading(true);
            connect(true);
        } else if (plainStarted()) {
            exchange.finishBroken(
                    Ending.withError(StreamRelay.errorOf(breakage), null).outcome());
        } else {
            exchange.fail(502, codeOf(breakage), "The upstream failed before its first frame: " + breakage.detail());
        }
    }

    @Override
    public void onUpstreamWritable(boolean writable) {
        if (writable && upstreamFullNs != 0) {
            upstreamFullNs = 0;
            downstream.reading(true);
        }
    }

    /** The client takes more again. */
    void resume() {
        if (upstreamPaused && upstream != null) {
            upstreamPaused = false;
            timeline.resumedNs = System.nanoTime();
            timeline.lastByteNs = timeline.resumedNs;
            upstream.reading(true);
        }
    }

    /** Looks at the limits on the upstream's silence, and keeps the client's stream alive. */
    void onSweep(long nowNs) {
        if (upstreamFullNs != 0
                && nowNs - upstreamFullNs > route.timeouts().writeStall().toNanos()) {
            exchange.fail(504, "upstream_write_stall", "The upstream takes no more of the request.");
            return;
        }
        Deadlines.Phase phase = phase();
        if (!request.complete() && phase == Deadlines.Phase.AWAITING_ANSWER) {
            return;
        }
        if (!upstreamPaused) {
            Ending expired = Deadlines.expired(timeline, route.timeouts(), phase, nowNs);
            if (expired != null) {
                expire(expired);
                return;
            }
        }
        beatEarly(nowNs);
        if (stream != null) {
            stream.onSweep(nowNs);
        }
    }

    /** Whether the upstream's own frames have said the last, so that nothing is missing at the client. */
    boolean saidAllBetweenFrames() {
        return stream.inspector().end().compareTo(StreamEnd.FINISHED) > 0 && stream.betweenFrames();
    }

    /** Ends the attempt at once: its upstream sees its connection close, and nothing it reports is heard any more. */
    void abort() {
        closed = true;
        UpstreamConnection current = upstream;
        upstream = null;
        if (current != null) {
            current.abort();
        }
    }

    /**
     * Has what is left of the stream read to its end, within bounds, without the client. Then {@code done} runs.
     *
     * @return false if there is nothing to read on
     */
    boolean readOn(Disconnect bounds, Runnable done) {
        if (upstream == null || !upstream.isStreaming() || !request.complete()) {
            return false;
        }
        UpstreamConnection rest = upstream;
        upstream = null;
        closed = true;
        if (grace != null) {
            grace.cancel(false);
        }
        new ReadOn(loop, rest, stream, bounds, route.timeouts(), done);
        return true;
    }

    /** Lets go of everything that is held; the connection is left as it is. */
    void release() {
        closed = true;
        if (grace != null) {
            grace.cancel(false);
        }
        if (plain != null) {
            plain.release();
        }
        if (stream != null) {
            stream.frames().close();
        }
    }

    private Deadlines.Phase phase() {
        if (stream != null && timeline.firstOutputNs != 0) {
            return Deadlines.Phase.STREAMING;
        }
        return plainStarted() ? Deadlines.Phase.PLAIN_BODY : Deadlines.Phase.AWAITING_ANSWER;
    }

    private void connect(boolean fresh) {
        timeline.attempts++;
        timeline.attemptNs = System.nanoTime();
        UpstreamPool pool = loop.pool(destination.origin());
        if (fresh) {
            pool.acquireNew(this);
        } else {
            pool.acquire(this);
        }
    }

    private void sendRequest() {
        if (!upstream.channel().isActive()) {
            // It was held for a body that took longer than the upstream keeps idle connections.
            connect(true);
            return;
        }
        headSent = true;
        sentNs = System.nanoTime();
        HttpRequest outgoing = request.forUpstream(route, destination.upstream(), exchange.dialect());
        if (request.complete()) {
            upstream.sendWhole(outgoing, body.bytes(), this);
            return;
        }
        upstream.send(outgoing, this);
        body.copyTo(upstream::sendBody);
        upstream.flush();
    }

    private boolean mayRetryStale(UpstreamConnection broken) {
        boolean atOnce = !request.complete() || System.nanoTime() - sentNs < STALE_NS;
        return !retriedStale && broken != null && broken.used() && body.isKept() && atOnce;
    }

    private void beginStream(HttpResponse head) {
        if (stream == null) {
            stream = newStream(Heads.stream(head, credential(), exchange.requestId(), exchange.streamId()));
        }
        upstream.beginStream(head, stream.frames(), stream);
        body.drop();
        request.forgetHead();
    }

    private StreamRelay newStream(HttpResponse head) {
        exchange.status(200);
        var frames = new SseFrameDecoder(downstream.channel().alloc(), exchange.frameHold());
        var relay = new StreamRelay(
                downstream,
                head,
                exchange.dialect(),
                frames,
                timeline,
                route.heartbeat(),
                request.fields().choices(),
                exchange.requestId());
        if (request.usageAdded()) {
            relay.dropUsageFrames();
        }
        return relay;
    }

    private void beginPlain(HttpResponse head) {
        int status = head.status().code();
        exchange.status(status);
        body.drop();
        dropUnstartedStream();
        if (credential() != null && status >= 400 && Heads.isCoded(head)) {
            abort();
            String message = "The upstream answered " + status + ". Its body is coded and cannot be searched for keys.";
            exchange.answer(new Refusal(status, "upstream_error", message, null, null), Outcome.UPSTREAM_ERROR);
            return;
        }
        plain = new PlainRelay(downstream, Heads.plain(head, credential(), exchange.requestId()), credential());
    }

    /** Early heartbeats were to come, but the upstream was faster and answers something else. */
    private void dropUnstartedStream() {
        if (stream != null) {
            stream.frames().close();
            stream = null;
        }
    }

    /** The stream has said its last: nothing that the upstream still does matters to the client. */
    private void completeStream() {
        UpstreamConnection done = upstream;
        upstream = null;
        done.release(route.timeouts().terminalGrace().toMillis());
        exchange.end(stream.endingAsSeen());
    }

    private void startGrace() {
        grace = downstream
                .channel()
                .eventLoop()
                .schedule(
                        this::onGraceOver,
                        Math.max(MIN_GRACE_NS, stream.graceNs(route.timeouts())),
                        TimeUnit.NANOSECONDS);
    }

    private void onGraceOver() {
        if (closed) {
            return;
        }
        if (!stream.nearlyComplete()) {
            grace = null;
            return;
        }
        if (upstreamPaused || !stream.isQuiet(route.timeouts())) {
            startGrace();
            return;
        }
        abort();
        exchange.end(stream.endingAsSeen());
    }

    private void expire(Ending ending) {
        abort();
        if (stream != null && stream.started()) {
            exchange.end(ending);
        } else if (plainStarted()) {
            exchange.finishBroken(ending.outcome());
        } else {
            exchange.fail(504, ending.error().code(), ending.message() + ".");
        }
    }

    /** A route may ask for heartbeats while the upstream is still silent: they commit the client to a stream. */
    private void beatEarly(long nowNs) {
        var heartbeat = route.heartbeat();
        boolean mayBegin = stream == null && plain == null && timeline.headNs == 0 && request.fields().stream();
        boolean wanted = heartbeat.early() && StreamRelay.form(heartbeat, exchange.dialect()) != HeartbeatForm.NONE;
        if (wanted
                && mayBegin
                && nowNs - timeline.requestCompleteNs >= heartbeat.interval().toNanos()) {
            stream = newStream(Heads.stream(null, credential(), exchange.requestId(), exchange.streamId()));
        }
    }

    private static String codeOf(Breakage breakage) {
        return breakage.kind() == Breakage.Kind.PROTOCOL
                ? "upstream_protocol"
                : StreamRelay.errorOf(breakage).code();
    }
}
