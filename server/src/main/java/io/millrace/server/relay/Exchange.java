package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.Usage;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Route;
import io.millrace.server.downstream.DownstreamConnection;
import io.millrace.server.downstream.DownstreamExchange;
import io.millrace.server.upstream.UpstreamConnection;
import io.millrace.server.upstream.UpstreamListener;
import io.millrace.server.upstream.UpstreamPool;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * One request and its response: finds the route, gets a connection on the client's own event loop, passes the request on
 * and the response back. Confined to that event loop; it has no locks and nothing volatile.
 */
final class Exchange implements DownstreamExchange, UpstreamListener, UpstreamPool.Waiter {
    /** A body that no decision needs is kept for a second try on a stale connection up to this size. */
    private static final int KEEP_FOR_RETRY = 1024 * 1024;
    /** Even a grace of zero leaves the loop to others before it is asked again. */
    private static final long MIN_GRACE_NS = TimeUnit.MILLISECONDS.toNanos(1);
    /** A reused connection that closes later than this after the request was no stale one: the upstream has worked. */
    private static final long STALE_NS = TimeUnit.SECONDS.toNanos(1);

    private final RelayLoop loop;
    private final RelaySettings settings;
    private final DownstreamConnection downstream;
    private final ClientRequest request;
    private final Target target;
    private final String requestId;
    private final RequestBody body;
    private final Timeline timeline = new Timeline();
    private Dialect dialect;
    private Route route;
    private RelaySettings.Destination destination;
    private UpstreamConnection upstream;
    private StreamRelay stream;
    private PlainRelay plain;
    private ScheduledFuture<?> grace;
    private boolean headSent;
    private boolean retriedStale;
    private boolean upstreamPaused;
    private boolean needsWholeBody;
    private boolean ended;
    private Refusal refusal;
    private long upstreamFullNs;
    private long sentNs;
    private String errorCode;
    private int attempts;
    private int status;

    /** An answer of the relay's own, given once the request has been read so that the connection can go on. */
    private record Refusal(int status, String code, String message, String field, String retryAfter) {}

    Exchange(RelayLoop loop, RelaySettings settings, DownstreamConnection downstream, HttpRequest head) {
        this.loop = loop;
        this.settings = settings;
        this.downstream = downstream;
        body = new RequestBody(downstream.channel().alloc(), loop.bodyBudget());
        request = new ClientRequest(head, body);
        target = request.target();
        dialect = Dialect.ofPath(target.path());
        requestId = loop.nextRequestId();
    }

    /** Begins: picks the route if the path alone decides, and connects while the body is still coming. */
    void start() {
        var router = settings.router();
        String model = request.fields().model();
        if (!router.knowsPath(target.path(), request.headers())) {
            refuseWhenRead(404, "no_route", "No route takes the path " + target.path() + ".", null);
            return;
        }
        if (request.waitsForContinue()) {
            downstream.sendContinue();
        }
        needsWholeBody = model == null && router.needsModel(target.path(), request.headers());
        if (!needsWholeBody) {
            choose(router.route(target.path(), request.headers(), model));
        }
    }

    /** Answers with an error once the request has been read; at once if the client waits to be asked for its body. */
    void refuseWhenRead(int refusedStatus, String code, String message, String retryAfter) {
        if (request.complete() || request.waitsForContinue()) {
            refuse(refusedStatus, code, message, retryAfter);
        } else {
            refusal = new Refusal(refusedStatus, code, message, null, retryAfter);
        }
    }

    @Override
    public void onRequestBody(ByteBuf content) {
        if (ended || refusal != null) {
            body.passed(content.readableBytes());
            content.release();
            if (!ended && body.received() > downstream.bodyLimit()) {
                answer(refusal, Outcome.REFUSED);
            }
            return;
        }
        if (body.received() + content.readableBytes() > downstream.bodyLimit()) {
            content.release();
            refuse(413, "request_too_large", "The request body is over " + downstream.bodyLimit() + " bytes.", null);
            return;
        }
        if (headSent && !needsWholeBody && body.isKept() && body.received() > KEEP_FOR_RETRY) {
            body.drop();
        }
        int length = content.readableBytes();
        if (headSent) {
            upstream.sendBody(body.isKept() ? content.retainedDuplicate() : content);
        }
        if (!body.isKept()) {
            body.passed(length);
        } else if (!body.add(content)) {
            if (headSent && !needsWholeBody) {
                body.drop();
                body.passed(length);
            } else {
                refuse(503, "relay_overloaded", "The relay holds too many request bodies. Try again.", "1");
                return;
            }
        }
        if (headSent && !upstream.isWritable()) {
            upstreamFull();
        }
    }

    @Override
    public void onRequestReadComplete() {
        if (ended || request.complete()) {
            return;
        }
        if (headSent) {
            upstream.flush();
        } else if (upstream != null && !needsWholeBody) {
            sendRequest();
        }
    }

    private void upstreamFull() {
        upstream.flush();
        if (!upstream.isWritable() && upstreamFullNs == 0) {
            upstreamFullNs = System.nanoTime();
            downstream.reading(false);
        }
    }

    @Override
    public void onRequestEnd() {
        if (ended) {
            return;
        }
        timeline.requestCompleteNs = System.nanoTime();
        request.end(needsWholeBody, dialect);
        upstreamFullNs = 0;
        downstream.reading(true);
        if (refusal != null) {
            answer(refusal, Outcome.REFUSED);
            return;
        }
        if (needsWholeBody && route == null) {
            chooseByModel();
        } else if (headSent) {
            upstream.endRequest();
        } else if (upstream != null) {
            sendRequest();
        }
    }

    @Override
    public void onConnection(UpstreamConnection connection) {
        if (ended) {
            connection.giveBack();
            return;
        }
        upstream = connection;
        timeline.connectedNs = System.nanoTime();
        // What the same read still brings is mostly the rest of the request, which then leaves in one piece.
        if (request.complete() || (!needsWholeBody && !downstream.inRead())) {
            sendRequest();
        }
    }

    @Override
    public void onConnectFailure(UpstreamPool.ConnectFailure failure) {
        if (ended) {
            return;
        }
        if (failure.full()) {
            fail(503, "upstream_busy", failure.detail());
        } else if (failure.timeout()) {
            fail(504, "upstream_connect_timeout", failure.detail());
        } else {
            fail(502, "upstream_unreachable", failure.detail());
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
            abortUpstream();
            end(Ending.withError(
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
        if (ended) {
            return;
        }
        if (stream != null) {
            Ending ending = stream.endingAtBodyEnd();
            upstream.release(0);
            end(ending);
        } else {
            plain.onBodyEnd();
            upstream.release(0);
            finish(status >= 400 ? Outcome.UPSTREAM_ERROR : Outcome.COMPLETED, false);
        }
    }

    @Override
    public void onReadComplete() {
        if (ended) {
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
        if (ended) {
            return;
        }
        UpstreamConnection broken = upstream;
        upstream = null;
        if (stream != null && stream.started()) {
            end(stream.endingAtBreak(breakage));
        } else if (breakage.kind() == Breakage.Kind.CLOSED_UNUSED && mayRetryStale(broken)) {
            retriedStale = true;
            headSent = false;
            downstream.reading(true);
            connect(true);
        } else if (plainStarted()) {
            finishBroken(Ending.withError(StreamRelay.errorOf(breakage), null).outcome());
        } else {
            fail(502, codeOf(breakage), "The upstream failed before its first frame: " + breakage.detail());
        }
    }

    @Override
    public void onUpstreamWritable(boolean writable) {
        if (writable && upstreamFullNs != 0) {
            upstreamFullNs = 0;
            downstream.reading(true);
        }
    }

    @Override
    public void onWritable(boolean writable) {
        if (writable && upstreamPaused && upstream != null) {
            upstreamPaused = false;
            timeline.resumedNs = System.nanoTime();
            timeline.lastByteNs = timeline.resumedNs;
            upstream.reading(true);
        }
    }

    @Override
    public void onClientGone(String reason) {
        if (ended) {
            return;
        }
        boolean succeeded = stream != null && stream.saidAll();
        abortUpstream();
        letGo();
        report(succeeded ? Outcome.COMPLETED : Outcome.CLIENT_GONE);
    }

    @Override
    public void onSweep(long nowNs) {
        if (ended) {
            return;
        }
        if (upstreamFullNs != 0
                && nowNs - upstreamFullNs > route.timeouts().writeStall().toNanos()) {
            fail(504, "upstream_write_stall", "The upstream takes no more of the request.");
            return;
        }
        boolean waiting = request.complete() && timeline.attemptNs != 0;
        if (!waiting && phase() == Deadlines.Phase.AWAITING_ANSWER) {
            return;
        }
        if (!upstreamPaused) {
            Ending expired = Deadlines.expired(timeline, route.timeouts(), phase(), nowNs);
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

    private Deadlines.Phase phase() {
        if (stream != null && timeline.firstOutputNs != 0) {
            return Deadlines.Phase.STREAMING;
        }
        return plainStarted() ? Deadlines.Phase.PLAIN_BODY : Deadlines.Phase.AWAITING_ANSWER;
    }

    /** Ends the exchange because the relay is going away. */
    void onDrainLimit() {
        if (ended) {
            return;
        }
        abortUpstream();
        if (stream != null && stream.started()) {
            boolean saidAll = stream.inspector().end().compareTo(StreamEnd.FINISHED) > 0 && stream.betweenFrames();
            end(
                    saidAll
                            ? stream.endingAsSeen()
                            : Ending.withError(RelayError.RELAY_DRAINING, "The relay is shutting down"));
        } else if (plainStarted()) {
            finishBroken(Outcome.DRAINED);
        } else {
            refuse(503, RelayError.RELAY_DRAINING.code(), "The relay is shutting down.", "1");
        }
    }

    /** A body that is no JSON, such as an upload, has no model; a route that needs none may take it. */
    private void chooseByModel() {
        Route chosen = settings.router()
                .route(target.path(), request.headers(), request.fields().model());
        if (request.fields().invalid() != null
                && (chosen == null || chosen.match().needsModel())) {
            refuse(
                    400,
                    "invalid_json",
                    "The route is chosen by model, but " + request.fields().invalid() + ".",
                    null);
            return;
        }
        choose(chosen);
    }

    private void choose(Route chosen) {
        if (chosen == null) {
            refuseModel();
            return;
        }
        route = chosen;
        destination = settings.destination(chosen);
        if (chosen.dialect() != null) {
            dialect = chosen.dialect();
        }
        needsWholeBody |= request.isRewrittenBy(chosen);
        connect(false);
    }

    private void refuseModel() {
        String message = request.fields().model() == null
                ? "The field model is missing, and the route of this path is chosen by it."
                : "The model " + request.loggedModel() + " is not served here.";
        refusal = new Refusal(404, "model_not_found", message, "model", null);
        if (request.complete()) {
            answer(refusal, Outcome.REFUSED);
        }
    }

    private void connect(boolean fresh) {
        attempts++;
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
        HttpRequest outgoing = request.forUpstream(route, destination.upstream(), dialect);
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
        status = 200;
        if (stream == null) {
            stream = newStream(Heads.stream(head, credential(), requestId));
        }
        upstream.beginStream(head, stream.frames(), stream);
        body.drop();
        request.forgetHead();
    }

    private StreamRelay newStream(HttpResponse head) {
        int frameHold = settings.config().limits().frameHold();
        var frames = new SseFrameDecoder(downstream.channel().alloc(), frameHold);
        return new StreamRelay(
                downstream,
                head,
                dialect,
                frames,
                timeline,
                route.heartbeat(),
                request.fields().choices(),
                requestId);
    }

    /** Early heartbeats were to come, but the upstream was faster and answers something else. */
    private void dropUnstartedStream() {
        if (stream != null) {
            stream.frames().close();
            stream = null;
        }
    }

    private void beginPlain(HttpResponse head) {
        status = head.status().code();
        body.drop();
        dropUnstartedStream();
        if (credential() != null && status >= 400 && Heads.isCoded(head)) {
            abortUpstream();
            String message = "The upstream answered " + status + ". Its body is coded and cannot be searched for keys.";
            answer(new Refusal(status, "upstream_error", message, null, null), Outcome.UPSTREAM_ERROR);
            return;
        }
        plain = new PlainRelay(downstream, Heads.plain(head, credential(), requestId), credential());
    }

    private boolean plainStarted() {
        return plain != null && plain.started();
    }

    private long plainBytes() {
        return plain == null ? 0 : plain.bodyBytes();
    }

    private Credential credential() {
        return destination.upstream().credential();
    }

    /** The stream has said its last: nothing that the upstream still does matters to the client. */
    private void completeStream() {
        UpstreamConnection done = upstream;
        upstream = null;
        done.release(route.timeouts().terminalGrace().toMillis());
        end(stream.endingAsSeen());
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
        if (ended) {
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
        abortUpstream();
        end(stream.endingAsSeen());
    }

    /** Ends a stream that the client may have seen a part of. */
    private void end(Ending ending) {
        if (stream.halfFrameSent()) {
            finishBroken(ending.outcome());
            return;
        }
        if (ending.error() == null) {
            stream.start();
            finish(ending.outcome(), false);
            return;
        }
        if (!stream.started()) {
            fail(502, ending.error().code(), ending.message() + ", before its first frame.");
            return;
        }
        errorCode = ending.error().code();
        if (stream.writeError(ending.error(), ending.message())) {
            finish(ending.outcome(), true);
        } else {
            finishBroken(ending.outcome());
        }
    }

    private void expire(Ending ending) {
        abortUpstream();
        if (stream != null && stream.started()) {
            end(ending);
        } else if (plainStarted()) {
            finishBroken(ending.outcome());
        } else {
            fail(504, ending.error().code(), ending.message() + ".");
        }
    }

    /** Answers with an error of the relay's own, made for an upstream that failed. */
    private void fail(int failedStatus, String code, String message) {
        abortUpstream();
        if (stream != null && stream.started()) {
            end(Ending.withError(RelayError.UPSTREAM_ERROR, message));
            return;
        }
        answer(new Refusal(failedStatus, code, message, null, null), Outcome.UPSTREAM_FAILED);
    }

    private void refuse(int refusedStatus, String code, String message, String retryAfter) {
        abortUpstream();
        if (downstream.responseStarted()) {
            errorCode = code;
            finishBroken(Outcome.REFUSED);
            return;
        }
        answer(new Refusal(refusedStatus, code, message, null, retryAfter), Outcome.REFUSED);
    }

    private void answer(Refusal answer, Outcome outcome) {
        status = answer.status();
        errorCode = answer.code();
        Dialect shape = dialect == Dialect.UNKNOWN ? Dialect.ofErrorShape(target.path()) : dialect;
        byte[] json = shape.errorBody(status, errorCode, answer.message(), answer.field(), requestId);
        letGo();
        downstream.respond(status, json, requestId, answer.retryAfter());
        report(outcome);
    }

    private void finish(Outcome outcome, boolean inError) {
        letGo();
        ChannelPromise notice = stream == null ? null : stream.takeWriteNotice();
        if (inError) {
            downstream.endResponseInError(notice);
        } else {
            downstream.endResponse(notice);
        }
        report(outcome);
    }

    private void finishBroken(Outcome outcome) {
        abortUpstream();
        letGo();
        downstream.reset();
        report(outcome);
    }

    private void letGo() {
        ended = true;
        if (grace != null) {
            grace.cancel(false);
        }
        if (plain != null) {
            plain.release();
        }
        body.drop();
        if (stream != null) {
            stream.frames().close();
        }
    }

    /** After the last flush, so that the moment of a write in it is known. */
    private void report(Outcome outcome) {
        timeline.endNs = System.nanoTime();
        boolean streamed = stream != null;
        String model = request.loggedModel();
        if (model == null && streamed) {
            model = stream.inspector().model();
        }
        loop.onEnded(new Summary(
                requestId,
                request.method().name(),
                target.path(),
                dialect,
                model,
                route == null ? null : route.upstream(),
                status,
                outcome,
                errorCode,
                streamed ? stream.inspector().finishReason() : null,
                attempts,
                streamed,
                streamed ? stream.framesSeen() : 0,
                streamed ? stream.inspector().outputFrames() : 0,
                body.received(),
                streamed ? stream.bodyBytes() : plainBytes(),
                streamed ? stream.inspector().usage() : Usage.NONE,
                timeline));
    }

    private void abortUpstream() {
        UpstreamConnection current = upstream;
        upstream = null;
        if (current != null) {
            current.abort();
        }
    }

    /** A route may ask for heartbeats while the upstream is still silent: they commit the client to a stream. */
    private void beatEarly(long nowNs) {
        var heartbeat = route.heartbeat();
        boolean mayBegin = stream == null && plain == null && timeline.headNs == 0 && request.fields().stream();
        boolean wanted = heartbeat.early() && StreamRelay.form(heartbeat, dialect) != HeartbeatForm.NONE;
        if (wanted
                && mayBegin
                && nowNs - timeline.requestCompleteNs >= heartbeat.interval().toNanos()) {
            status = 200;
            stream = newStream(Heads.stream(null, credential(), requestId));
        }
    }

    private static String codeOf(Breakage breakage) {
        return breakage.kind() == Breakage.Kind.PROTOCOL
                ? "upstream_protocol"
                : StreamRelay.errorOf(breakage).code();
    }
}
