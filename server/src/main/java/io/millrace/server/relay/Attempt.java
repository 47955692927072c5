package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.translate.TokenCounts;
import io.millrace.codec.translate.TranslatedAnswer;
import io.millrace.server.balance.OriginAttempt;
import io.millrace.server.balance.RetryAfter;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Disconnect;
import io.millrace.server.config.Route;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.Interpreter;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.SecretMask;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.FailureClass;
import io.millrace.server.route.Place;
import io.millrace.server.route.RouteTable;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.upstream.CallListener;
import io.millrace.server.upstream.ConnectFailure;
import io.millrace.server.upstream.UpstreamCall;
import io.millrace.server.upstream.Upstreams;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * One attempt of an exchange at one origin: gets a connection, sends the request, and judges what comes back. It is either
 * committed, and then is the client's answer to its end, or it fails, and the exchange decides what becomes of it. Once it
 * is abandoned it is deaf: what its connection still reports changes nothing. Confined to the exchange's event loop.
 */
final class Attempt implements CallListener, Upstreams.Waiter, StreamRelay.Commitment {
    /** So long an upstream may still send what belongs behind its terminal or its error. */
    static final long AFTER_TERMINAL_MS = 100;
    /** An error's body that takes longer than this is not waited for. */
    private static final long MAX_ERROR_BODY_NS = TimeUnit.SECONDS.toNanos(1);

    /** The heap that the translation of a body takes at most, in bodies: what is read, what is made of it, what is written. */
    private static final long TRANSLATION_FACTOR = 3;

    /** A longer body is not translated on the event loop. */
    static final long MAX_TRANSLATED_ON_LOOP = 1024 * 1024;

    private final Listener listener;
    private final AttemptContext context;
    private final AnswerTerms terms;
    private final RelayLoop loop;
    private final ClientStream downstream;
    private final ClientRequest request;
    private final RequestBody body;
    private final Timeline timeline;
    private final Route route;
    private final Place stop;
    private final Timeouts timeouts;
    /** What the upstream is spoken to in, where that is not what the client speaks; else null, as is the interpreter. */
    private final Dialect translatedTo;

    private Interpreter interpreter;
    private LongTranslation translation;
    private long translating;
    private OriginAttempt origin;
    private UpstreamCall upstream;
    private StreamRelay stream;
    private PlainRelay plain;
    private Failure plainFailure;
    private boolean suspect;
    /** The head of an answer that may be an event stream though it does not say so; null once that is known. */
    private HttpResponse unsure;

    private Inflation inflation;

    private ScheduledFuture<?> grace;
    private boolean closed;
    private boolean headSent;
    private boolean handedOver;
    private boolean bodyEnded;
    private boolean outputReported;
    private boolean retriedStale;
    private boolean upstreamPaused;
    private long upstreamFullNs;

    /** What an attempt reports to whoever makes it, at most one end of it. */
    interface Listener {
        /** Whether {@code asking} may fail, because there is something left to try. */
        boolean mayGoOn(Attempt asking);

        /** Whether {@code asking}, whose pooled connection was dead already, may take a new one: that is an attempt more. */
        boolean mayGoAfresh(Attempt asking);

        /** It has failed before the client had anything of it. */
        void onFailure(Attempt failed, Failure failure);

        /** What it got cannot be passed on as it is: the client gets {@code refusal} in its place. */
        void onRefusal(Attempt by, Refusal refusal);

        /**
         * It is the client's answer.
         *
         * @param head what the client is to get, may be changed; null if the client has one already
         */
        void onCommit(Attempt winner, HttpResponse head);

        /**
         * A body that is no event stream is about to be the client's answer.
         *
         * @return true if the client has a stream of the relay's own, which has ended for want of another
         */
        boolean endsEarly(PlainRelay plain);

        /** The stream that is the client's answer is to end so. */
        void onStreamEnd(Ending ending);

        /** The body of a response that is no event stream is with the client. */
        void onPlainEnd();

        /** What the client has a part of cannot be completed. */
        void onBroken(Outcome outcome);

        /** There was no memory for what came, not even for an answer. */
        void onMemoryOut();
    }

    /** An attempt at {@code place} that has not begun. */
    Attempt(AttemptContext context, Timeline timeline, Place place, Listener listener) {
        this.context = context;
        this.timeline = timeline;
        this.stop = place;
        this.listener = listener;
        terms = context.terms();
        loop = context.loop();
        downstream = context.downstream();
        request = terms.request();
        body = request.body();
        route = context.route();
        timeouts = route.timeouts(place.target());
        translatedTo = terms.translatedFor(place.endpoint().upstream());
    }

    /** Begins: asks for a connection. */
    void start() {
        timeline.attemptNs = System.nanoTime();
        origin = stop.endpoint().state().onStart(timeline.attemptNs);
        connect(false);
    }

    /** Whether the request is on its way, so that the body follows it as it comes. */
    boolean isSending() {
        return headSent;
    }

    /** What its upstream may have of the request. */
    enum Sent {
        NOTHING,
        PART,
        WHOLE
    }

    /** What its upstream may have of the request; what a connection that was dead already was given does not count. */
    Sent sent() {
        if (!headSent) {
            return Sent.NOTHING;
        }
        return handedOver || (upstream != null && upstream.requestHandedOver()) ? Sent.WHOLE : Sent.PART;
    }

    /** Whether its connection may yet turn out to have been dead already. */
    boolean mayBeStale() {
        return upstream != null && timeline.headNs == 0 && upstream.mayBeStale();
    }

    /** The event stream that came, or null. */
    StreamRelay stream() {
        return stream;
    }

    /** The response that is no event stream, or null. */
    PlainRelay plain() {
        return plain;
    }

    Timeline timeline() {
        return timeline;
    }

    /** What the upstream is spoken to in, where that is not what the client speaks; else null. */
    Dialect translatedTo() {
        return translatedTo;
    }

    /** The names of what was left out of the client's request, null if nothing was. */
    String dropped() {
        return interpreter == null || translatedTo == null ? null : interpreter.dropped();
    }

    /** The upstream's name. */
    String upstreamName() {
        return stop.destination().upstream().name();
    }

    /** The share of its destination. */
    RouteTable.Destination destination() {
        return stop.destination();
    }

    /** Whether it is the client's answer, so that nothing else can be. */
    boolean committed() {
        return (stream != null && stream.committed()) || (plain != null && plain.committed());
    }

    /** Bytes that this holds of an answer in {@code pool}. */
    long held(Held.Pool pool) {
        long ofPlain = plain == null || pool != Held.Pool.HEAP ? 0 : plain.counted();
        return ofPlain + (stream == null ? 0 : stream.held(pool));
    }

    /** Whether a part of a response that is no event stream is with the client. */
    boolean plainStarted() {
        return plain != null && plain.started();
    }

    /** What was asked for with a key of ours, or null. */
    Credential credential() {
        return stop.destination().upstream().credential();
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
            downstream.readRequest(false);
        }
    }

    /** All that one read of the client brought is here. */
    void onRequestReadComplete() {
        if (headSent) {
            upstream.flush();
        } else if (upstream != null && !context.needsWholeBody()) {
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
    public void onCall(UpstreamCall call) {
        if (closed) {
            call.release(0);
            return;
        }
        upstream = call;
        timeline.connectedNs = System.nanoTime();
        // What the same read still brings is mostly the rest of the request, which then leaves in one piece.
        if (request.complete() || (!context.needsWholeBody() && !downstream.inRead())) {
            sendRequest();
        }
    }

    @Override
    public void onConnectFailure(ConnectFailure failure) {
        if (closed) {
            return;
        }
        switch (failure.kind()) {
            case FULL -> leave(Failure.busy(failure.detail()));
            case OWN -> leave(Failure.exhausted(failure.detail()));
            case TIMEOUT -> fail(Failure.of("connect_timeout", 504, "upstream_connect_timeout", failure.detail()));
            case UNREACHABLE -> fail(Failure.of("connect", 502, "upstream_unreachable", failure.detail()));
        }
    }

    @Override
    public void onHead(HttpResponse head) {
        if (closed) {
            return;
        }
        timeline.headNs = System.nanoTime();
        if (interpreter != null) {
            interpreter.forgetRequest();
        }
        timeline.lastByteNs = timeline.headNs;
        boolean bodiless = request.method().equals(HttpMethod.HEAD);
        if (Heads.isEventStream(head) && !bodiless) {
            beginStream(head);
        } else {
            beginPlain(head);
        }
    }

    @Override
    public void onBody(ByteBuf content) {
        if (closed || (plain == null && stream == null)) {
            content.release();
            return;
        }
        timeline.lastByteNs = System.nanoTime();
        if (stream == null) {
            plain.onBody(content);
        } else if (inflation == null) {
            feed(content);
        } else {
            try {
                inflation.inflate(content, piece -> feed(piece.retain()));
            } finally {
                content.release();
            }
        }
    }

    /** A part of an event stream that came under another content type. */
    private void feed(ByteBuf content) {
        stream.onRead(content);
        try {
            stream.frames().decode(content, stream);
        } finally {
            stream.onReadEnd();
            content.release();
        }
    }

    @Override
    public void onBodyEnd() {
        if (closed) {
            return;
        }
        bodyEnded = true;
        if (unsure != null) {
            learnKind();
        }
        if (stream == null) {
            upstream.release(0);
            onPlainEnd();
            return;
        }
        Ending ending = stream.endingAtBodyEnd();
        upstream.release(0);
        boolean bad = stream.failed() || stream.garbled();
        if (stream.committed() || (ending.error() == null && !bad)) {
            end(ending);
        } else if (bad) {
            onStreamError();
        } else {
            fail(Failure.of(
                    "truncated",
                    502,
                    RelayError.UPSTREAM_TRUNCATED.code(),
                    "The upstream's stream ended before its first output."));
        }
    }

    @Override
    public void onReadComplete() {
        if (closed) {
            return;
        }
        if (unsure != null) {
            learnKind();
        }
        if (stream != null && !stream.committed() && (stream.failed() || stream.garbled())) {
            onStreamError();
            return;
        }
        if (stream == null) {
            if (plain != null) {
                onPlainRead();
            }
        } else {
            onStreamRead();
        }
        if (!closed && upstream != null && !upstreamPaused && !mayReadOn()) {
            upstreamPaused = true;
            upstream.reading(false);
        }
    }

    /** Where memory is short, nothing is read for a client that has something left to take. */
    private boolean mayReadOn() {
        return downstream.isWritable() && !(loop.memory().isTight() && downstream.pendingBytes() > 0);
    }

    @Override
    public void onBroken(Breakage breakage) {
        if (closed) {
            return;
        }
        if (breakage.kind() == Breakage.Kind.NO_MEMORY) {
            upstream = null;
            listener.onMemoryOut();
            return;
        }
        UpstreamCall broken = upstream;
        upstream = null;
        handedOver = broken != null && broken.requestHandedOver();
        if (stream != null && stream.committed()) {
            end(stream.endingAtBreak(breakage));
        } else if (breakage.kind() == Breakage.Kind.STALE && !retriedStale && listener.mayGoAfresh(this)) {
            retriedStale = true;
            headSent = false;
            handedOver = false;
            readRequestAgain();
            connect(true);
        } else if (plainStarted()) {
            origin.onFailure(System.nanoTime(), timeouts.ttft().toNanos());
            listener.onBroken(
                    Ending.withError(StreamRelay.errorOf(breakage), null).outcome());
        } else if (plainFailure != null) {
            // Its status is known, but the rest of its body will not come.
            var refusal = new Refusal(
                    plain.status(),
                    "upstream_error",
                    "The upstream answered " + plain.status() + " and broke off: " + breakage.detail(),
                    null,
                    null);
            fail(new Failure(plainFailure.reason(), true, plainFailure.retryAfterNs(), refusal));
        } else {
            String code = codeOf(breakage);
            fail(Failure.of(
                    code.substring(code.indexOf('_') + 1),
                    502,
                    code,
                    "The upstream failed before its first output: " + breakage.detail()));
        }
    }

    @Override
    public void onUpstreamWritable(boolean writable) {
        if (writable) {
            readRequestAgain();
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
                && nowNs - upstreamFullNs > timeouts.writeStall().toNanos()) {
            fail(Failure.of("write_stall", 504, "upstream_write_stall", "The upstream takes no more of the request."));
            return;
        }
        Deadlines.Phase phase = phase();
        if (!request.complete() && phase == Deadlines.Phase.AWAITING_ANSWER) {
            return;
        }
        if (plainFailure != null && nowNs - timeline.headNs > MAX_ERROR_BODY_NS) {
            fail(plainFailure);
            return;
        }
        if (upstreamPaused && mayReadOn()) {
            resume();
        }
        boolean limited = stream == null || dialect() != Dialect.UNKNOWN;
        if (!upstreamPaused && limited) {
            Ending expired = Deadlines.expired(timeline, timeouts, phase, nowNs);
            if (expired != null) {
                expire(expired);
                return;
            }
        }
        if (stream != null) {
            boolean held = !stream.committed() && !stream.collects();
            if (held && nowNs - timeline.headNs > timeouts.hold().toNanos()) {
                stream.commit();
                stream.flush();
            }
            stream.onSweep(nowNs);
        }
    }

    @Override
    public void onCommit(StreamRelay committed) {
        listener.onCommit(this, committed.head());
    }

    /**
     * Others are tried in its place, but what it has may still be given. It is deaf from now on.
     *
     * @return why it failed, with an answer of ours if its own is not here as a whole
     */
    Failure putAside(Failure failure) {
        abort();
        readRequestAgain();
        if (failure.refusal() != null || plain == null || bodyEnded) {
            return failure;
        }
        String message = "The upstream answered " + plain.status() + ".";
        return failure.withRefusal(new Refusal(plain.status(), "upstream_error", message, null, null));
    }

    /** The client gets what this has, though it is an error. */
    void give() {
        closed = false;
        if (plain != null) {
            givePlain();
            return;
        }
        stream.commit();
        if (bodyEnded || upstream == null) {
            end(stream.endingAsSeen());
        } else {
            onStreamRead();
        }
    }

    /** Whether the upstream's own frames have said the last, so that nothing is missing at the client. */
    boolean saidAllBetweenFrames() {
        return stream.inspector().end().compareTo(StreamEnd.FINISHED) > 0 && stream.betweenFrames();
    }

    /** The client has what it wanted: the attempt was one. */
    void onAnswered() {
        origin.onSuccess(System.nanoTime());
    }

    /** Ends the attempt at once: its upstream sees its connection close, and nothing it reports is heard any more. */
    void abort() {
        closed = true;
        cancelTranslation();
        UpstreamCall current = upstream;
        upstream = null;
        if (current != null && !bodyEnded) {
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
        UpstreamCall rest = upstream;
        upstream = null;
        closed = true;
        if (grace != null) {
            grace.cancel(false);
        }
        new ReadOn(loop, rest, stream, origin, bounds, timeouts, done);
        return true;
    }

    /** Lets go of everything that is held; the connection is left as it is. */
    void release() {
        closed = true;
        cancelTranslation();
        origin.onIgnored();
        readRequestAgain();
        if (grace != null) {
            grace.cancel(false);
        }
        if (plain != null) {
            plain.release();
        }
        if (inflation != null) {
            inflation.close();
            inflation = null;
        }
        if (stream != null) {
            stream.release();
        }
    }

    /** The origin is at fault; what becomes of the request is the exchange's to decide. */
    private void fail(Failure failed) {
        Failure failure = credential() == null ? failed : failed.masked(new SecretMask(credential()));
        if (isOwnLimit(failure.reason())) {
            origin.onIgnored();
        } else {
            origin.onFailure(System.nanoTime(), timeouts.ttft().toNanos());
        }
        listener.onFailure(this, failure);
    }

    /** Whether the client's own key has reached its limit, of which other clients know nothing. */
    private boolean isOwnLimit(String reason) {
        return credential() == null && request.hasKey() && FailureClass.isKeyLimit(reason);
    }

    private void readRequestAgain() {
        if (upstreamFullNs != 0) {
            upstreamFullNs = 0;
            downstream.readRequest(true);
        }
    }

    private Deadlines.Phase phase() {
        if (stream != null && stream.finished()) {
            return Deadlines.Phase.FINISHED;
        }
        if (stream != null && timeline.firstOutputNs != 0) {
            return Deadlines.Phase.STREAMING;
        }
        return plain != null ? Deadlines.Phase.PLAIN_BODY : Deadlines.Phase.AWAITING_ANSWER;
    }

    private void connect(boolean fresh) {
        if (fresh) {
            loop.upstreams().acquireNew(stop.endpoint().origin(), this);
        } else {
            loop.upstreams().acquire(stop.endpoint().origin(), this);
        }
    }

    private void sendRequest() {
        if (!upstream.isActive()) {
            // It was held for a body that took longer than the upstream keeps idle connections.
            upstream = null;
            connect(true);
            return;
        }
        Upstream place = stop.endpoint().upstream();
        if (translatedTo != null && !translate(place)) {
            return;
        }
        headSent = true;
        if (interpreter != null) {
            var translated = interpreter.request();
            upstream.sendWhole(
                    request.translated(place, translatedTo, translated),
                    Unpooled.wrappedBuffer(translated.body()),
                    this);
            return;
        }
        if (!request.complete()) {
            upstream.send(request.forUpstream(stop.target(), place, terms.dialect(), -1), this);
            body.copyTo(upstream::sendBody);
            upstream.flush();
            return;
        }
        ByteBuf whole = request.bodyFor(route, stop.target(), terms.dialect());
        try {
            upstream.sendWhole(
                    request.forUpstream(stop.target(), place, terms.dialect(), whole.readableBytes()), whole, this);
        } finally {
            whole.release();
        }
    }

    /** Makes the request that the upstream understands; false if it is not there yet, or if there is none. */
    private boolean translate(Upstream place) {
        if (interpreter != null) {
            return true;
        }
        Supplier<Interpreter> making = terms.interpreter(place, translatedTo, stop.target(), route.translation());
        if (body.received() > MAX_TRANSLATED_ON_LOOP) {
            translateAside(making);
            return false;
        }
        try {
            interpreter = making.get();
            return true;
        } catch (RuntimeException | StackOverflowError e) {
            onUntranslatable(e);
            return false;
        }
    }

    private void translateAside(Supplier<Interpreter> making) {
        if (translation != null) {
            return;
        }
        translating = TRANSLATION_FACTOR * body.received();
        if (!loop.memory().take(Held.TRANSLATIONS, translating)) {
            translating = 0;
            leave(Failure.overloaded());
            return;
        }
        translation = new LongTranslation(
                making, body.bytes().retain(), downstream.eventLoop(), this::onTranslated, this::onUntranslatable);
        if (!translation.start(LongTranslation.SHARED)) {
            endTranslation();
            leave(Failure.overloaded());
        }
    }

    /** The connection may be a new one that is not there yet, if the upstream has closed the first in the meantime. */
    private void onTranslated(Interpreter made) {
        endTranslation();
        if (closed) {
            return;
        }
        interpreter = made;
        if (upstream != null) {
            sendRequest();
        }
    }

    private void onUntranslatable(Throwable why) {
        endTranslation();
        if (!closed) {
            leave(Failure.untranslatable(why));
        }
    }

    /** The request was not sent: the upstream has no part in this failure. */
    private void leave(Failure failure) {
        UpstreamCall unused = upstream;
        upstream = null;
        if (unused != null) {
            unused.release(0);
        }
        origin.onIgnored();
        listener.onFailure(this, failure);
    }

    private void cancelTranslation() {
        if (translation != null && translation.cancel()) {
            endTranslation();
        }
    }

    private void endTranslation() {
        loop.memory().add(Held.TRANSLATIONS, -translating);
        translating = 0;
    }

    /** The dialect of what comes back. */
    private Dialect dialect() {
        return translatedTo == null ? terms.dialect() : translatedTo;
    }

    private void beginStream(HttpResponse head) {
        openStream(head);
        upstream.beginStream(head, stream.frames(), stream);
        // Of a protocol that is not known nothing can be tried again: its client may wait for the head alone.
        boolean held = !timeouts.hold().isZero() && dialect() != Dialect.UNKNOWN;
        if (!held && !stream.collects()) {
            stream.commit();
        }
    }

    private void openStream(HttpResponse head) {
        if (terms.wantsWhole()) {
            kindChanger().collect(terms.requestId());
        }
        int hold = interpreter == null ? context.frameHold() : StreamRelay.MAX_TRANSLATED_FRAME;
        var frames = new SseFrameDecoder(downstream.alloc(), hold);
        var clientHead = Heads.stream(
                head, credential(), terms.requestId(), context.streamId().get());
        if (interpreter != null) {
            String type =
                    interpreter.collects() ? ClientSide.JSON : terms.client().streamType();
            Heads.ofTranslated(clientHead, terms.dialect(), type, dropped());
        } else if (!Heads.isEventStream(head)) {
            clientHead
                    .headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, terms.client().streamType());
        }
        stream = new StreamRelay(
                downstream,
                clientHead,
                dialect(),
                terms.client(),
                interpreter,
                credential(),
                frames,
                timeline,
                route.heartbeat(),
                request.fields().choices(),
                terms.requestId(),
                this,
                loop.memory());
        if (request.usageAdded()) {
            stream.dropUsageFrames();
        }
    }

    /** What gives the client the kind of answer that it asked for. */
    private Interpreter kindChanger() {
        if (interpreter == null) {
            interpreter = terms.kindChanger(stop.endpoint().upstream(), stop.target());
        }
        return interpreter;
    }

    /** The first bytes of a body tell whether it is an event stream, whatever its head says. */
    private void learnKind() {
        EventText.Verdict verdict = EventText.of(plain.held());
        // Blank lines keep a client alive that waits for one body: they leave as they come.
        boolean open = verdict == EventText.Verdict.UNSURE
                || (verdict == EventText.Verdict.BLANK && (translatedTo != null || terms.wantsStream()));
        if (open && !bodyEnded && !plain.isFull()) {
            return;
        }
        HttpResponse head = unsure;
        unsure = null;
        if (verdict != EventText.Verdict.EVENTS) {
            if (terms.wantsStream() && translatedTo == null && isJson(head)) {
                kindChanger();
                plain.translateBy(this::restreamed);
            }
            return;
        }
        ByteBuf begun = plain.takeHeld();
        plain = null;
        suspect = false;
        openStream(head);
        feed(begun);
    }

    private void onStreamRead() {
        if (stream.complete()) {
            completeStream();
            return;
        }
        stream.onReadComplete();
        if (!outputReported && timeline.firstOutputNs != 0) {
            outputReported = true;
            origin.onFirstOutput(timeline.firstOutputNs);
        }
        if (stream.nearlyComplete() && grace == null) {
            startGrace();
        }
    }

    /**
     * The stream's first frames are an error: another attempt may fare better, or the client gets it as it came. What cannot
     * be translated was answered all the same, and would be once more.
     */
    private void onStreamError() {
        String type = stream.inspector().errorType();
        if (stream.inspector().endedUnanswered()) {
            fail(Failure.of(
                    "truncated",
                    502,
                    RelayError.UPSTREAM_TRUNCATED.code(),
                    "The upstream's stream ended before its first output."));
        } else if (stream.failed()
                && FailureClass.isRetryable(type)
                && !FailureClass.isHopeless(stream.inspector().errorName())) {
            fail(Failure.ofAnswer(type, RetryAfter.NONE));
        } else {
            origin.onSuccess(System.nanoTime());
            give();
        }
    }

    private void beginPlain(HttpResponse head) {
        int status = head.status().code();
        boolean bodiless = request.method().equals(HttpMethod.HEAD);
        boolean readable = interpreter == null && (credential() == null || status < 400);
        boolean coded = Heads.isCoded(head);
        if (coded && !readable && !bodiless) {
            inflation = Inflation.of(head.headers().get(HttpHeaderNames.CONTENT_ENCODING, ""));
            if (inflation == null) {
                onCoded(head);
                return;
            }
        }
        var clientHead = Heads.plain(head, credential(), terms.requestId());
        if (inflation != null) {
            Heads.ofInflated(clientHead);
        }
        if (interpreter != null) {
            String type = isSuccess(status) ? terms.client().answerType() : ClientSide.JSON;
            Heads.ofTranslated(clientHead, terms.dialect(), type, dropped());
        }
        PlainRelay.Translator translator = interpreter == null ? null : this::translated;
        plain = new PlainRelay(downstream, clientHead, credential(), translator, inflation, loop.memory());
        if (isFailure(head)) {
            plainFailure = Failure.ofAnswer(Integer.toString(status), retryAfterNs(head));
            return;
        }
        suspect = mayHideError(head);
        boolean told = dialect() != Dialect.UNKNOWN && terms.isForAnswer() && (!coded || inflation != null);
        unsure = told && status == 200 ? head : null;
    }

    private TranslatedAnswer translated(int status, byte[] body) {
        if (!isSuccess(status)) {
            return new TranslatedAnswer(status, interpreter.error(status, body, terms.requestId()), TokenCounts.NONE);
        }
        return terms.wantsStream()
                ? streamed(interpreter.streamed(body, terms.requestId()))
                : interpreter.answer(body, terms.requestId());
    }

    /** The stream of a body that came in the client's own dialect; null leaves what is no answer as it is. */
    private TranslatedAnswer restreamed(int status, byte[] body) {
        TranslatedAnswer made = interpreter.streamed(body, terms.requestId());
        return made.status() == 200 ? streamed(made) : null;
    }

    private TranslatedAnswer streamed(TranslatedAnswer made) {
        if (made.status() == 200) {
            Heads.ofStreamed(plain.head(), terms.client().streamType());
        }
        return made;
    }

    private static boolean isSuccess(int status) {
        return status >= 200 && status < 300;
    }

    /** Some servers answer a request for a stream with an error in JSON under a status of 200. */
    private boolean mayHideError(HttpResponse head) {
        return head.status().code() == 200
                && request.fields().stream()
                && dialect() != Dialect.UNKNOWN
                && isJson(head)
                && listener.mayGoOn(this);
    }

    private static boolean isJson(HttpResponse head) {
        CharSequence type = HttpUtil.getMimeType(head);
        return type != null
                && "application/json".equalsIgnoreCase(type.toString().trim());
    }

    /** What must be read, be it only because a key of ours might stand in it, cannot be. */
    private void onCoded(HttpResponse head) {
        int status = head.status().code();
        String message = "The upstream answered " + status + ". Its body is coded and cannot be "
                + (interpreter == null ? "searched for keys." : "translated.");
        var refusal = new Refusal(status < 400 ? 502 : status, "upstream_error", message, null, null);
        if (isFailure(head)) {
            fail(new Failure(Integer.toString(status), true, retryAfterNs(head), refusal));
        } else {
            origin.onSuccess(System.nanoTime());
            listener.onRefusal(this, refusal);
        }
    }

    /** Whether another attempt may fare better; the upstream itself has the last word about its errors. */
    private static boolean isFailure(HttpResponse head) {
        int status = head.status().code();
        return status >= 400 && RetryAfter.shouldRetry(head.headers(), FailureClass.isRetryable(status));
    }

    private void onPlainRead() {
        if (plain.isTranslated() && plain.isFull() && translatedTo == null) {
            plain.leaveAsItIs();
        }
        if (plain.isTranslated() && plain.isFull()) {
            String message = "The upstream's answer is too long to be translated.";
            origin.onSuccess(System.nanoTime());
            listener.onRefusal(this, new Refusal(502, "upstream_error", message, null, null));
            return;
        }
        if (plainFailure != null && plain.isFull()) {
            fail(plainFailure);
            return;
        }
        boolean waits = unsure != null || plainFailure != null || plain.isTranslated() || plain.committed();
        if (!waits && (!suspect || plain.isFull() || !plain.mayBeError())) {
            commitPlain();
        }
        if (!closed) {
            plain.onReadComplete();
        }
    }

    private void onPlainEnd() {
        if (plainFailure == null && !suspect) {
            if (plain.committed()) {
                endPlain();
            } else {
                givePlain();
            }
            return;
        }
        var error = plain.held() == null ? FailureClass.ErrorBody.NONE : FailureClass.ofBody(plain.held());
        if (suspect) {
            if (error.retryable()) {
                fail(Failure.ofAnswer(error.keyLimit() ? "429" : "error", error.retryAfterNs()));
            } else {
                givePlain();
            }
            return;
        }
        if (error.hopeless()) {
            givePlain();
        } else if (plainFailure.retryAfterNs() == RetryAfter.NONE) {
            fail(Failure.ofAnswer(plainFailure.reason(), error.retryAfterNs()));
        } else {
            fail(plainFailure);
        }
    }

    private void givePlain() {
        if (bodyEnded) {
            plain.translate();
        }
        commitPlain();
        if (closed) {
            return;
        }
        if (bodyEnded) {
            endPlain();
        } else {
            plain.onReadComplete();
        }
    }

    private void commitPlain() {
        plainFailure = null;
        suspect = false;
        if (listener.endsEarly(plain)) {
            return;
        }
        listener.onCommit(this, plain.head());
        plain.commit();
    }

    private void endPlain() {
        plain.onBodyEnd();
        origin.onSuccess(System.nanoTime());
        listener.onPlainEnd();
    }

    private static long retryAfterNs(HttpResponse head) {
        return RetryAfter.parse(head.headers(), System.currentTimeMillis());
    }

    /** The stream has said its last: nothing that the upstream still does matters to the client. */
    private void completeStream() {
        UpstreamCall done = upstream;
        upstream = null;
        done.release(AFTER_TERMINAL_MS);
        end(stream.endingAsSeen());
    }

    private void startGrace() {
        grace = downstream.eventLoop().schedule(this::onGraceOver, AFTER_TERMINAL_MS, TimeUnit.MILLISECONDS);
    }

    private void onGraceOver() {
        if (closed) {
            return;
        }
        if (upstreamPaused || stream.halfFrameSent()) {
            startGrace();
            return;
        }
        abort();
        end(stream.endingAsSeen());
    }

    private void expire(Ending ending) {
        if (stream != null && stream.committed()) {
            abort();
            end(ending);
        } else if (plainStarted()) {
            origin.onFailure(System.nanoTime(), timeouts.ttft().toNanos());
            listener.onBroken(ending.outcome());
        } else if (translation != null && interpreter == null) {
            leave(Failure.overloaded());
        } else {
            fail(Failure.of("timeout", 504, ending.error().code(), ending.message() + "."));
        }
    }

    /** Ends the client's stream, and tells what that says about the origin. */
    private void end(Ending asked) {
        stream.commit();
        Ending ending = stream.writeEnd(asked);
        long nowNs = System.nanoTime();
        if (timeline.firstOutputNs != 0) {
            origin.onFirstOutput(timeline.firstOutputNs);
        }
        boolean ownError = ending.outcome() == Outcome.UPSTREAM_ERROR
                && stream.failed()
                && !FailureClass.isRetryable(stream.inspector().errorType());
        boolean broken = ending.outcome() != Outcome.COMPLETED;
        if ((broken && dialect() == Dialect.UNKNOWN)
                || (stream.failed() && isOwnLimit(stream.inspector().errorType()))) {
            origin.onIgnored();
        } else if (ending.outcome() == Outcome.COMPLETED || ownError) {
            origin.onSuccess(nowNs);
        } else {
            origin.onFailure(nowNs, timeouts.ttft().toNanos());
        }
        listener.onStreamEnd(ending);
    }

    private static String codeOf(Breakage breakage) {
        return breakage.kind() == Breakage.Kind.PROTOCOL
                ? "upstream_protocol"
                : StreamRelay.errorOf(breakage).code();
    }
}
