package io.millrace.server.relay;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.Usage;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.config.Route;
import io.millrace.server.config.Timeouts;
import io.millrace.server.downstream.DownstreamConnection;
import io.millrace.server.downstream.DownstreamExchange;
import io.millrace.server.upstream.UpstreamConnection;
import io.millrace.server.upstream.UpstreamListener;
import io.millrace.server.upstream.UpstreamPool;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * One request and its response: finds the route, gets a connection on the client's own event loop, passes the request on
 * and the response back. Confined to that event loop; it has no locks and nothing volatile.
 */
final class Exchange implements DownstreamExchange, UpstreamListener, UpstreamPool.Waiter {
    /** A body that no decision needs is kept for a second try on a stale connection up to this size. */
    private static final int KEEP_FOR_RETRY = 1024 * 1024;
    /** Only this much of a body that no decision needs is searched for the model, for the log. */
    private static final int SEARCH_FOR_LOG = 64 * 1024;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final RelayLoop loop;
    private final RelaySettings settings;
    private final DownstreamConnection downstream;
    private final HttpRequest request;
    private final Target target;
    private final String requestId;
    private final RequestBody body;
    private final Timeline timeline = new Timeline();
    private Dialect dialect;
    private Route route;
    private RelaySettings.Destination destination;
    private RequestFields fields = RequestFields.NONE;
    private UpstreamConnection upstream;
    private UpstreamPool pool;
    private StreamRelay stream;
    private KeyedErrorBody errorBody;
    private ScheduledFuture<?> grace;
    private boolean requestComplete;
    private boolean headSent;
    private boolean retriedStale;
    private boolean upstreamPaused;
    private boolean plainBegun;
    private boolean needsWholeBody;
    private boolean ended;
    private int attempts;
    private int status;
    private long plainBytes;

    Exchange(RelayLoop loop, RelaySettings settings, DownstreamConnection downstream, HttpRequest request) {
        this.loop = loop;
        this.settings = settings;
        this.downstream = downstream;
        this.request = request;
        target = Target.of(request.uri());
        dialect = Dialect.ofPath(target.path());
        requestId = loop.nextRequestId();
        body = new RequestBody(downstream.channel().alloc(), loop.bodyBudget());
    }

    // What the access log and the metrics ask for.

    HttpRequest request() {
        return request;
    }

    String requestId() {
        return requestId;
    }

    String path() {
        return target.path();
    }

    Dialect dialect() {
        return dialect;
    }

    Timeline timeline() {
        return timeline;
    }

    int status() {
        return status;
    }

    int attempts() {
        return attempts;
    }

    String upstreamName() {
        return route == null ? null : route.upstream();
    }

    boolean isStream() {
        return stream != null;
    }

    long requestBytes() {
        return body.received();
    }

    long responseBytes() {
        return stream != null ? stream.bodyBytes() : plainBytes;
    }

    long frames() {
        return stream == null ? 0 : stream.framesSeen();
    }

    long outputFrames() {
        return stream == null ? 0 : stream.inspector().outputFrames();
    }

    Usage usage() {
        return stream == null ? Usage.NONE : stream.inspector().usage();
    }

    String finishReason() {
        return stream == null ? null : stream.inspector().finishReason();
    }

    String model() {
        if (fields.model() != null) {
            return fields.model();
        }
        return stream == null ? null : stream.inspector().model();
    }

    /** Begins: picks the route if the path alone decides, and connects while the body is still coming. */
    void start() {
        var router = settings.router();
        String model = target.modelInPath();
        if (model != null) {
            fields = new RequestFields(model, -1, -1, target.path().endsWith(":streamGenerateContent"), null);
        }
        if (!router.knowsPath(target.path(), request.headers())) {
            refuse(404, "no_route", "No route takes the path " + target.path() + ".", null);
            return;
        }
        if (HttpUtil.is100ContinueExpected(request)) {
            downstream.sendContinue();
        }
        needsWholeBody = model == null && router.needsModel(target.path(), request.headers());
        if (!needsWholeBody) {
            choose(router.route(target.path(), request.headers(), model));
        }
    }

    @Override
    public void onRequestBody(ByteBuf content) {
        if (ended) {
            content.release();
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
            overBudget();
            return;
        }
        if (headSent && !requestComplete) {
            upstream.flush();
            if (!upstream.isWritable()) {
                downstream.reading(false);
            }
        }
    }

    @Override
    public void onRequestEnd() {
        if (ended) {
            return;
        }
        requestComplete = true;
        timeline.requestCompleteNs = System.nanoTime();
        readFields();
        if (needsWholeBody && route == null) {
            chooseByModel();
        } else if (headSent) {
            upstream.endRequest();
        } else if (needsWholeBody && upstream != null) {
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
        if (requestComplete || !needsWholeBody) {
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
        if (isEventStream(head)) {
            beginStream(head);
        } else if (stream != null) {
            status = head.status().code();
            upstreamRefusedStartedStream(head);
        } else {
            beginPlain(head);
        }
    }

    @Override
    public void onBody(ByteBuf content) {
        timeline.lastByteNs = System.nanoTime();
        if (errorBody != null) {
            errorBody.add(content);
        } else if (plainBegun) {
            plainBytes += content.readableBytes();
            downstream.writeBody(content);
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
            onStreamBodyEnd();
        } else if (errorBody != null) {
            endErrorBody();
        } else {
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
            if (plainBegun) {
                downstream.flush();
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
            breakStream(breakage);
        } else if (breakage.kind() == Breakage.Kind.CLOSED_UNUSED && mayRetryStale(broken)) {
            retriedStale = true;
            headSent = false;
            connect(true);
        } else if (plainBegun) {
            finishBroken(outcomeOf(breakage));
        } else {
            String code = breakage.kind() == Breakage.Kind.PROTOCOL
                    ? "upstream_protocol"
                    : errorOf(breakage).code();
            fail(502, code, "The upstream failed before its first frame: " + breakage.detail());
        }
    }

    @Override
    public void onUpstreamWritable(boolean writable) {
        if (!requestComplete) {
            downstream.reading(writable);
        }
    }

    @Override
    public void onWritable(boolean writable) {
        if (writable && upstreamPaused && upstream != null) {
            upstreamPaused = false;
            timeline.lastByteNs = System.nanoTime();
            upstream.reading(true);
        }
    }

    @Override
    public void onClientGone(String reason) {
        if (ended) {
            return;
        }
        boolean succeeded = stream != null
                && (stream.inspector().end() == StreamEnd.TERMINAL
                        || stream.inspector().end() == StreamEnd.DONE);
        abortUpstream();
        letGo();
        report(succeeded ? Outcome.COMPLETED : Outcome.CLIENT_GONE);
    }

    @Override
    public void onSweep(long nowNs) {
        if (ended) {
            return;
        }
        Timeouts timeouts = route == null ? settings.config().timeouts() : route.timeouts();
        long waitingSinceNs = Math.max(timeline.requestCompleteNs, timeline.attemptNs);
        if (!requestComplete || waitingSinceNs == 0) {
            return;
        }
        boolean answering = stream != null ? timeline.firstOutputNs != 0 : plainBegun;
        if (!answering) {
            if (nowNs - waitingSinceNs > timeouts.ttft().toNanos()) {
                timeOut(RelayError.UPSTREAM_NO_OUTPUT, "no output for " + text(timeouts.ttft()));
                return;
            }
        } else if (!upstreamPaused
                && nowNs - timeline.lastByteNs > timeouts.idle().toNanos()) {
            timeOut(RelayError.UPSTREAM_IDLE, "no byte for " + text(timeouts.idle()));
            return;
        } else if (stream != null
                && !upstreamPaused
                && nowNs - timeline.lastOutputNs > timeouts.progress().toNanos()) {
            timeOut(RelayError.UPSTREAM_NO_OUTPUT, "no output for " + text(timeouts.progress()));
            return;
        }
        beatEarly(nowNs);
        if (stream != null) {
            stream.onSweep(nowNs);
        }
    }

    /** Ends the exchange because the relay is going away. */
    void onDrainLimit() {
        if (ended) {
            return;
        }
        abortUpstream();
        if (stream != null && stream.started()) {
            endWithError(RelayError.RELAY_DRAINING, "The relay is shutting down", Outcome.DRAINED);
        } else if (plainBegun) {
            finishBroken(Outcome.DRAINED);
        } else {
            refuse(503, RelayError.RELAY_DRAINING.code(), "The relay is shutting down.", "1");
        }
    }

    private void readFields() {
        if (!body.isKept() || fields.model() != null || !body.bytes().isReadable()) {
            return;
        }
        ByteBuf bytes = body.bytes();
        if (needsWholeBody || (dialect != Dialect.UNKNOWN && bytes.readableBytes() <= SEARCH_FOR_LOG)) {
            fields = RequestFields.of(bytes);
        }
    }

    private void chooseByModel() {
        if (fields.invalid() != null) {
            refuse(400, "invalid_json", "The route is chosen by model, but " + fields.invalid() + ".", null);
            return;
        }
        Route chosen = settings.router().route(target.path(), request.headers(), fields.model());
        if (chosen == null) {
            String message = fields.model() == null
                    ? "The field model is missing."
                    : "The model " + fields.model() + " is not served here.";
            refuseField(404, "model_not_found", message, "model");
            return;
        }
        choose(chosen);
    }

    private void choose(Route chosen) {
        if (chosen == null) {
            refuse(404, "no_route", "No route takes this path and model.", null);
            return;
        }
        route = chosen;
        destination = settings.destination(chosen);
        if (chosen.dialect() != null) {
            dialect = chosen.dialect();
        }
        needsWholeBody |= chosen.rewriteModel() != null && target.modelInPath() == null;
        connect(false);
    }

    private void connect(boolean fresh) {
        attempts++;
        timeline.attemptNs = System.nanoTime();
        pool = loop.pool(destination.origin());
        if (fresh) {
            pool.acquireNew(this);
        } else {
            pool.acquire(this);
        }
    }

    private void sendRequest() {
        Target out = target;
        if (route.rewriteModel() != null && attempts == 1) {
            if (target.modelInPath() == null) {
                spliceModel();
            }
        }
        if (route.rewriteModel() != null && target.modelInPath() != null) {
            out = target.withModel(route.rewriteModel());
        }
        var upstreamConfig = destination.upstream();
        HttpHeaders headers = HeaderRules.toUpstream(request.headers(), upstreamConfig.credential());
        headers.set(HttpHeaderNames.HOST, upstreamConfig.authority());
        frame(headers);
        if (mayStream()) {
            headers.set(HttpHeaderNames.ACCEPT_ENCODING, HttpHeaderValues.IDENTITY);
        }
        var head = new DefaultHttpRequest(
                HttpVersion.HTTP_1_1, request.method(), out.under(upstreamConfig.basePath()), headers);
        headSent = true;
        upstream.send(head, this);
        body.copyTo(upstream::sendBody);
        if (requestComplete) {
            upstream.endRequest();
        } else {
            upstream.flush();
        }
    }

    /** Whether the response may be an event stream, for which no content coding is asked. */
    private boolean mayStream() {
        return (dialect != Dialect.UNKNOWN && request.method().equals(HttpMethod.POST))
                || request.headers().contains(HttpHeaderNames.ACCEPT, "text/event-stream", true);
    }

    private void frame(HttpHeaders headers) {
        if (requestComplete && body.isKept()) {
            boolean bodyExpected = body.received() > 0
                    || request.method().equals(HttpMethod.POST)
                    || request.method().equals(HttpMethod.PUT)
                    || request.method().equals(HttpMethod.PATCH);
            if (bodyExpected) {
                headers.set(HttpHeaderNames.CONTENT_LENGTH, body.bytes().readableBytes());
            }
        } else if (HttpUtil.isContentLengthSet(request)) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, HttpUtil.getContentLength(request));
        } else if (HttpUtil.isTransferEncodingChunked(request)) {
            headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
    }

    private void spliceModel() {
        if (fields.model() == null || fields.modelStart() < 0) {
            return;
        }
        try {
            byte[] quoted = JSON.writeValueAsBytes(route.rewriteModel());
            body.splice(fields.modelStart(), fields.modelEnd(), Unpooled.wrappedBuffer(quoted));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean mayRetryStale(UpstreamConnection broken) {
        return !retriedStale && broken != null && broken.used() && body.isKept();
    }

    private static boolean isEventStream(HttpResponse head) {
        if (head.status().code() != 200) {
            return false;
        }
        String type = head.headers().get(HttpHeaderNames.CONTENT_TYPE);
        if (type == null) {
            return false;
        }
        int semicolon = type.indexOf(';');
        String essence = semicolon < 0 ? type : type.substring(0, semicolon);
        return essence.trim().equalsIgnoreCase("text/event-stream");
    }

    private void beginStream(HttpResponse head) {
        status = 200;
        if (request.method().equals(HttpMethod.HEAD)) {
            beginPlain(head);
            return;
        }
        if (stream == null) {
            stream = newStream();
            stream.holdHead(streamHead(HeaderRules.toClient(head.headers(), injects(), true)));
        }
        upstream.beginStream(head, stream.frames(), stream);
        body.drop();
    }

    private StreamRelay newStream() {
        var frames = new SseFrameDecoder(
                downstream.channel().alloc(), settings.config().limits().frameHold());
        return new StreamRelay(downstream, dialect, frames, timeline, route.heartbeat(), requestId);
    }

    private HttpResponse streamHead(HttpHeaders headers) {
        if (!headers.contains(HttpHeaderNames.CONTENT_TYPE)) {
            headers.set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8");
        }
        headers.set(HttpHeaderNames.CACHE_CONTROL, "no-cache, no-transform");
        headers.set(HeaderRules.ACCEL_BUFFERING, "no");
        headers.set("x-content-type-options", "nosniff");
        if (!headers.contains(HeaderRules.REQUEST_ID)) {
            headers.set(HeaderRules.REQUEST_ID, requestId);
        }
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        return new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, headers);
    }

    private void beginPlain(HttpResponse head) {
        status = head.status().code();
        var headers = HeaderRules.toClient(head.headers(), injects(), false);
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, head.status(), headers);
        body.drop();
        if (injects() && status >= 400) {
            errorBody = new KeyedErrorBody(response, destination.upstream().credential());
            return;
        }
        plainBegun = true;
        downstream.writeHead(response);
    }

    private void endErrorBody() {
        upstream.release(0);
        plainBegun = true;
        plainBytes = errorBody.writeTo(downstream);
        finish(Outcome.UPSTREAM_ERROR, false);
    }

    private boolean injects() {
        return destination.upstream().credential() != null;
    }

    /** Early heartbeats have committed the client to a stream, and now the upstream answers something else. */
    private void upstreamRefusedStartedStream(HttpResponse head) {
        abortUpstream();
        endWithError(
                RelayError.UPSTREAM_ERROR,
                "The upstream answered " + head.status().code(),
                Outcome.UPSTREAM_ERROR);
    }

    private void onStreamBodyEnd() {
        boolean halfFrameSent = stream.frames().flowing();
        if (!halfFrameSent) {
            stream.onTail();
        }
        upstream.release(0);
        switch (stream.inspector().end()) {
            case FINISHED, TERMINAL, DONE -> endStream(Outcome.COMPLETED);
            case ERROR -> endStream(Outcome.UPSTREAM_ERROR);
            case HIDDEN_ERROR -> endHiddenError();
            case OPEN -> {
                if (dialect == Dialect.UNKNOWN && !halfFrameSent) {
                    stream.start();
                    endStream(Outcome.COMPLETED);
                } else {
                    endTruncated(RelayError.UPSTREAM_TRUNCATED, "The upstream's stream ended before its terminal");
                }
            }
        }
    }

    /** The stream has said its last: nothing that the upstream still does matters to the client. */
    private void completeStream() {
        long graceMs = route.timeouts().terminalGrace().toMillis();
        UpstreamConnection done = upstream;
        upstream = null;
        done.release(graceMs);
        if (stream.inspector().end() == StreamEnd.HIDDEN_ERROR) {
            endHiddenError();
        } else {
            endStream(Outcome.COMPLETED);
        }
    }

    private void endHiddenError() {
        String detail = stream.inspector().errorMessage();
        endWithError(
                RelayError.UPSTREAM_ERROR,
                "The upstream failed" + (detail == null ? "" : ": " + detail),
                Outcome.UPSTREAM_ERROR);
    }

    private void startGrace() {
        grace = downstream.channel().eventLoop().schedule(this::onGraceOver, graceNs(), TimeUnit.NANOSECONDS);
    }

    /** Gemini repeats a finish reason on every chunk in some versions, so there a pause is not yet an end. */
    private long graceNs() {
        long terminalNs = route.timeouts().terminalGrace().toNanos();
        boolean mayGoOn = dialect == Dialect.GEMINI && stream.inspector().end() == StreamEnd.FINISHED;
        return mayGoOn ? 20 * terminalNs : terminalNs;
    }

    private void onGraceOver() {
        if (ended) {
            return;
        }
        long quietNs = System.nanoTime() - timeline.lastByteNs;
        boolean finished = stream.inspector().end() == StreamEnd.FINISHED;
        if (upstreamPaused || !stream.betweenFrames() || (finished && quietNs < graceNs())) {
            startGrace();
            return;
        }
        abortUpstream();
        endStream(stream.inspector().end() == StreamEnd.ERROR ? Outcome.UPSTREAM_ERROR : Outcome.COMPLETED);
    }

    private void breakStream(Breakage breakage) {
        switch (stream.inspector().end()) {
            case TERMINAL, DONE -> endStream(Outcome.COMPLETED);
            case ERROR -> endStream(Outcome.UPSTREAM_ERROR);
            case HIDDEN_ERROR -> endHiddenError();
            case OPEN, FINISHED ->
                endTruncated(errorOf(breakage), "The upstream's stream broke off (" + breakage.detail() + ")");
        }
    }

    private void timeOut(RelayError error, String what) {
        abortUpstream();
        String message = "The upstream sent " + what;
        Outcome outcome = error == RelayError.UPSTREAM_IDLE ? Outcome.UPSTREAM_IDLE : Outcome.UPSTREAM_NO_OUTPUT;
        if (stream != null && stream.started()) {
            endWithError(error, message, outcome);
        } else if (plainBegun) {
            finishBroken(outcome);
        } else {
            fail(504, error.code(), message + ".");
        }
    }

    private void endTruncated(RelayError error, String message) {
        if (stream.started()) {
            endWithError(
                    error,
                    message,
                    error == RelayError.UPSTREAM_RESET ? Outcome.UPSTREAM_RESET : Outcome.UPSTREAM_TRUNCATED);
        } else {
            fail(502, error.code(), message + ", before its first frame.");
        }
    }

    private void endWithError(RelayError error, String message, Outcome outcome) {
        if (stream.writeError(error, message)) {
            stream.writePending();
            status = 200;
            finish(outcome, true);
        } else {
            finishBroken(outcome);
        }
    }

    private void endStream(Outcome outcome) {
        stream.writePending();
        finish(outcome, false);
    }

    /** Answers with an error of the relay's own, made for an upstream that failed. */
    private void fail(int failedStatus, String code, String message) {
        abortUpstream();
        if (stream != null && stream.started()) {
            endWithError(RelayError.UPSTREAM_ERROR, message, Outcome.UPSTREAM_FAILED);
            return;
        }
        answer(failedStatus, code, message, null, null, Outcome.UPSTREAM_FAILED);
    }

    private void refuse(int refusedStatus, String code, String message, String retryAfter) {
        abortUpstream();
        answer(refusedStatus, code, message, null, retryAfter, Outcome.REFUSED);
    }

    private void refuseField(int refusedStatus, String code, String message, String field) {
        abortUpstream();
        answer(refusedStatus, code, message, field, null, Outcome.REFUSED);
    }

    private void overBudget() {
        refuse(503, "relay_overloaded", "The relay holds too many request bodies. Try again.", "1");
    }

    private void answer(int answered, String code, String message, String param, String retryAfter, Outcome outcome) {
        status = answered;
        Dialect shape = dialect == Dialect.UNKNOWN ? Dialect.ofErrorShape(target.path()) : dialect;
        byte[] json = shape.errorBody(answered, code, message, param, requestId);
        letGo();
        downstream.respond(answered, json, requestId, retryAfter);
        report(outcome);
    }

    private void finish(Outcome outcome, boolean andClose) {
        letGo();
        if (andClose) {
            downstream.endResponseAndClose();
        } else {
            downstream.endResponse();
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
        if (errorBody != null) {
            errorBody.release();
        }
        body.drop();
        if (stream != null) {
            stream.frames().close();
        }
    }

    /** After the last flush, so that the moment of a write in it is known. */
    private void report(Outcome outcome) {
        timeline.endNs = System.nanoTime();
        loop.onEnded(this, outcome);
    }

    private void abortUpstream() {
        UpstreamConnection current = upstream;
        upstream = null;
        if (current != null) {
            current.abort();
        }
    }

    private void beatEarly(long nowNs) {
        var heartbeat = route.heartbeat();
        if (!heartbeat.early() || stream != null || plainBegun || !fields.stream() || timeline.headNs != 0) {
            return;
        }
        if (nowNs - timeline.requestCompleteNs >= heartbeat.interval().toNanos()) {
            stream = newStream();
            stream.holdHead(streamHead(io.netty.handler.codec.http.DefaultHttpHeadersFactory.headersFactory()
                    .newHeaders()));
        }
    }

    private static RelayError errorOf(Breakage breakage) {
        return breakage.kind() == Breakage.Kind.TRUNCATED ? RelayError.UPSTREAM_TRUNCATED : RelayError.UPSTREAM_RESET;
    }

    private static Outcome outcomeOf(Breakage breakage) {
        return breakage.kind() == Breakage.Kind.TRUNCATED ? Outcome.UPSTREAM_TRUNCATED : Outcome.UPSTREAM_RESET;
    }

    private static String text(java.time.Duration duration) {
        return duration.toMillis() % 1000 == 0 ? duration.toSeconds() + " s" : duration.toMillis() + " ms";
    }
}
