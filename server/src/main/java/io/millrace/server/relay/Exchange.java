package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.dialect.Usage;
import io.millrace.server.config.Disconnect;
import io.millrace.server.config.Route;
import io.millrace.server.downstream.DownstreamConnection;
import io.millrace.server.downstream.DownstreamExchange;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpRequest;
import java.util.concurrent.TimeUnit;

/**
 * One request and its response, as the client sees them: finds the route, has an {@link Attempt} made at its upstream, and
 * ends the response. Confined to the client's event loop; it has no locks and nothing volatile.
 */
final class Exchange implements DownstreamExchange {
    /** A body that no decision needs is kept for a second try on a stale connection up to this size. */
    private static final int KEEP_FOR_RETRY = 1024 * 1024;

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
    private Attempt attempt;
    private boolean needsWholeBody;
    private boolean ended;
    private Refusal refusal;
    private String errorCode;
    private int status;
    private String streamId;

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

    String requestId() {
        return requestId;
    }

    /** By what the client may have its stream stopped; null where that is switched off. */
    String streamId() {
        if (streamId == null && settings.config().ownPaths().streams()) {
            streamId = loop.streams().add(this, ClientKey.hash(request.headers(), target));
        }
        return streamId;
    }

    Dialect dialect() {
        return dialect;
    }

    /** The longest frame that is held until it is whole. */
    int frameHold() {
        return settings.config().limits().frameHold();
    }

    /** Whether a decision hangs on the body, so that nothing can be sent before it is here. */
    boolean needsWholeBody() {
        return needsWholeBody;
    }

    /** The status that the client gets. */
    void status(int status) {
        this.status = status;
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
        boolean sending = attempt != null && attempt.isSending();
        boolean dispensable = sending && !needsWholeBody;
        if (dispensable && body.isKept() && body.received() > KEEP_FOR_RETRY) {
            body.drop();
        }
        int length = content.readableBytes();
        if (sending) {
            attempt.sendBody(body.isKept() ? content.retainedDuplicate() : content);
        }
        if (!body.isKept()) {
            body.passed(length);
        } else if (!body.add(content)) {
            if (!dispensable) {
                refuse(503, "relay_overloaded", "The relay holds too many request bodies. Try again.", "1");
                return;
            }
            body.drop();
            body.passed(length);
        }
        if (sending) {
            attempt.pauseIfFull();
        }
    }

    @Override
    public void onRequestReadComplete() {
        if (!ended && !request.complete() && attempt != null) {
            attempt.onRequestReadComplete();
        }
    }

    @Override
    public void onRequestEnd() {
        if (ended) {
            return;
        }
        timeline.requestCompleteNs = System.nanoTime();
        request.end(needsWholeBody, dialect);
        downstream.reading(true);
        if (refusal != null) {
            answer(refusal, Outcome.REFUSED);
        } else if (route == null) {
            chooseByModel();
        } else {
            attempt.onRequestEnd();
        }
    }

    @Override
    public void onWritable(boolean writable) {
        if (writable && attempt != null) {
            attempt.resume();
        }
    }

    @Override
    public void onClientGone(String reason) {
        if (ended) {
            return;
        }
        boolean succeeded = stream() != null && stream().saidAll();
        Outcome outcome = succeeded ? Outcome.COMPLETED : Outcome.CLIENT_GONE;
        if (readsOn(outcome)) {
            return;
        }
        abortUpstream();
        letGo();
        report(outcome);
    }

    /** What has told its usage already has nothing more to say. */
    private boolean readsOn(Outcome outcome) {
        boolean wanted = route != null && route.disconnect().policy() == Disconnect.Policy.READ_ON;
        if (!wanted || stream() == null || stream().usageExact()) {
            return false;
        }
        boolean began = attempt.readOn(route.disconnect(), () -> {
            attempt.release();
            report(outcome);
        });
        if (began) {
            ended = true;
            body.drop();
            forgetStream();
        }
        return began;
    }

    @Override
    public void onSweep(long nowNs) {
        if (!ended && attempt != null) {
            attempt.onSweep(nowNs);
        }
    }

    /**
     * Ends the stream because its client wants no more of it: cleanly, and without its upstream.
     *
     * @return false if there is no stream that has begun
     */
    boolean stop() {
        if (ended || !streamStarted()) {
            return false;
        }
        String model = request.fields().model();
        long nowSeconds = TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis());
        var stop = new StreamStop(requestId, model, request.fields().choices(), request.usageAsked(), nowSeconds);
        if (stream().stop(stop)) {
            abortUpstream();
            end(stream().endingAsSeen());
        }
        return true;
    }

    /** Ends the exchange because the relay is going away. */
    void onDrainLimit() {
        if (ended) {
            return;
        }
        abortUpstream();
        if (streamStarted()) {
            end(
                    attempt.saidAllBetweenFrames()
                            ? stream().endingAsSeen()
                            : Ending.withError(RelayError.RELAY_DRAINING, "The relay is shutting down"));
        } else if (attempt != null && attempt.plainStarted()) {
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
        if (chosen.dialect() != null) {
            dialect = chosen.dialect();
        }
        needsWholeBody |= request.isRewrittenBy(chosen) || request.mayBeMadeToTellUsage(chosen, dialect);
        attempt = new Attempt(this, loop, downstream, request, timeline, chosen, settings.destination(chosen));
        attempt.start();
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

    private StreamRelay stream() {
        return attempt == null ? null : attempt.stream();
    }

    private boolean streamStarted() {
        return stream() != null && stream().started();
    }

    /** The body of a response that is no event stream is with the client. */
    void onPlainEnd() {
        finish(status >= 400 ? Outcome.UPSTREAM_ERROR : Outcome.COMPLETED, false);
    }

    /** Ends a stream that the client may have seen a part of. */
    void end(Ending ending) {
        StreamRelay stream = stream();
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

    /** Answers with an error of the relay's own, made for an upstream that failed. */
    void fail(int failedStatus, String code, String message) {
        abortUpstream();
        if (streamStarted()) {
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

    /** Answers with an error of the relay's own. */
    void answer(Refusal answer, Outcome outcome) {
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
        ChannelPromise notice = stream() == null ? null : stream().takeWriteNotice();
        if (inError) {
            downstream.endResponseInError(notice);
        } else {
            downstream.endResponse(notice);
        }
        report(outcome);
    }

    /** Ends a response that could not be completed, so that the client notices. */
    void finishBroken(Outcome outcome) {
        abortUpstream();
        letGo();
        downstream.reset();
        report(outcome);
    }

    private void abortUpstream() {
        if (attempt != null) {
            attempt.abort();
        }
    }

    private void letGo() {
        ended = true;
        if (attempt != null) {
            attempt.release();
        }
        body.drop();
        forgetStream();
    }

    private void forgetStream() {
        if (streamId != null) {
            loop.streams().remove(streamId);
        }
    }

    /** After the last flush, so that the moment of a write in it is known. */
    private void report(Outcome outcome) {
        timeline.endNs = System.nanoTime();
        StreamRelay stream = stream();
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
                timeline.attempts,
                streamed,
                streamed ? stream.framesSeen() : 0,
                streamed ? stream.inspector().outputFrames() : 0,
                body.received(),
                streamed ? stream.bodyBytes() : attempt == null ? 0 : attempt.plainBytes(),
                streamed ? stream.inspector().usage() : Usage.NONE,
                streamed && stream.usageExact(),
                timeline));
    }
}
