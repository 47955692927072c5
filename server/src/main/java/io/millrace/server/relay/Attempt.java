package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Disconnect;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.format.Interpreter;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.SecretMask;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.Place;
import io.millrace.server.route.RouteTable;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.upstream.ConnectFailure;
import io.millrace.server.upstream.UpstreamCall;
import io.millrace.server.upstream.Upstreams;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;

/**
 * One attempt of an exchange at one origin: gets a connection, has the request sent, and the answer judged. It is either
 * committed, and then is the client's answer to its end, or it fails, and its listener decides what becomes of it. Once it
 * is abandoned it is deaf: what its connection still reports changes nothing. Confined to the exchange's event loop.
 */
final class Attempt implements RequestSender.Owner, UpstreamAnswer.Owner, Upstreams.Waiter {
    private final AttemptContext context;
    private final ClientRequest request;
    private final ClientStream downstream;
    private final Timeline timeline;
    private final Place place;
    private final Listener listener;
    private final UpstreamAnswer.Scope scope;
    private final RequestSender sender;
    private UpstreamAnswer answer;
    private boolean closed;
    private boolean bodyEnded;
    private boolean retriedStale;
    private boolean paused;

    /** What an attempt reports to whoever makes it, as long as it is not the client's answer. */
    interface Listener {
        /** Whether {@code asking} may fail, because there is something left to try. */
        boolean mayGoOn(Attempt asking);

        /** Whether {@code asking}, whose pooled connection was dead already, may take a new one: that is an attempt more. */
        boolean mayGoAfresh(Attempt asking);

        /** It has failed before the client had anything of it. */
        void onFailure(Attempt failed, Failure failure);

        /** What it got cannot be passed on as it is: the client gets {@code refusal} in its place. */
        void onRefusal(Attempt by, Refusal refusal);

        /** It is the client's answer, whose head has not left yet and may be changed. */
        void onCommit(Attempt winner);

        /** There was no memory for what came, not even for an answer. */
        void onMemoryOut();
    }

    /**
     * An attempt at {@code place}, which counts it from now on.
     *
     * @param answers learns how it fares once it is the client's answer
     */
    Attempt(AttemptContext context, Timeline timeline, Place place, Listener listener, AnswerListener answers) {
        this.context = context;
        this.timeline = timeline;
        this.place = place;
        this.listener = listener;
        request = context.terms().request();
        downstream = context.downstream();
        Dialect translatedTo = context.terms().translatedFor(place.endpoint().upstream());
        timeline.attemptNs = System.nanoTime();
        var origin = place.endpoint().state().onStart(timeline.attemptNs);
        scope = new UpstreamAnswer.Scope(context, place, timeline, origin, translatedTo, answers);
        sender = new RequestSender(context, place, translatedTo, this);
    }

    /** Asks for a connection. */
    void start() {
        context.loop().upstreams().acquire(place.endpoint().origin(), this);
    }

    /** The request's way to the upstream. */
    RequestSender sender() {
        return sender;
    }

    /** Whether the request is on its way, so that the body follows it as it comes. */
    boolean isSending() {
        return sender.isSending();
    }

    /** Whether its connection may yet turn out to have been dead already. */
    boolean mayBeStale() {
        return call() != null && call().mayBeStale();
    }

    /** The event stream that came, or null. */
    StreamRelay stream() {
        return answer instanceof StreamAnswer streamed ? streamed.stream() : null;
    }

    /** The response that is no event stream, or null. */
    PlainRelay plain() {
        return answer instanceof PlainAnswer whole ? whole.plain() : null;
    }

    Timeline timeline() {
        return timeline;
    }

    /** What the upstream is spoken to in, where that is not what the client speaks; else null. */
    Dialect translatedTo() {
        return scope.translatedTo();
    }

    /** The names of what was left out of the client's request, null if nothing was. */
    String dropped() {
        return sender.interpreter() == null ? null : sender.interpreter().dropped();
    }

    /** The upstream's name. */
    String upstreamName() {
        return place.destination().upstream().name();
    }

    RouteTable.Destination destination() {
        return place.destination();
    }

    /** Whether it is the client's answer, so that nothing else can be. */
    boolean committed() {
        return answer != null && answer.committed();
    }

    /** Bytes that this holds of an answer in {@code pool}. */
    long held(Held.Pool pool) {
        return answer == null ? 0 : answer.held(pool);
    }

    /** Whether a part of a response that is no event stream is with the client. */
    boolean plainStarted() {
        return plain() != null && plain().started();
    }

    @Override
    public void onCall(UpstreamCall call) {
        if (closed) {
            call.release(0);
            return;
        }
        timeline.connectedNs = System.nanoTime();
        sender.onCall(call);
    }

    @Override
    public void onConnectFailure(ConnectFailure failure) {
        if (closed) {
            return;
        }
        switch (failure.kind()) {
            case FULL -> onUnsendable(Failure.busy(failure.detail()));
            case OWN -> onUnsendable(Failure.exhausted(failure.detail()));
            case TIMEOUT -> fail(Failure.of("connect_timeout", 504, "upstream_connect_timeout", failure.detail()));
            case UNREACHABLE -> fail(Failure.of("connect", 502, "upstream_unreachable", failure.detail()));
        }
    }

    @Override
    public void onConnectionLost() {
        context.loop().upstreams().acquireNew(place.endpoint().origin(), this);
    }

    @Override
    public void onUnsendable(Failure failure) {
        UpstreamCall unused = sender.takeCall();
        if (unused != null) {
            unused.release(0);
        }
        scope.origin().onIgnored();
        listener.onFailure(this, failure);
    }

    @Override
    public void onHead(HttpResponse head) {
        if (closed) {
            return;
        }
        timeline.headNs = System.nanoTime();
        timeline.lastByteNs = timeline.headNs;
        Interpreter interpreter = sender.interpreter();
        if (interpreter != null) {
            interpreter.forgetRequest();
        }
        boolean bodiless = request.method().equals(HttpMethod.HEAD);
        if (Heads.isEventStream(head) && !bodiless) {
            var streamed = new StreamAnswer(scope, this, head, interpreter, null);
            answer = streamed;
            streamed.begin(call(), head);
        } else {
            var whole = new PlainAnswer(scope, this, head, interpreter);
            answer = whole;
            whole.begin();
        }
    }

    @Override
    public void onStream(HttpResponse head, ByteBuf begun, Inflation inflation) {
        var streamed = new StreamAnswer(scope, this, head, sender.interpreter(), inflation);
        answer = streamed;
        streamed.feed(begun);
    }

    @Override
    public void onBody(ByteBuf content) {
        if (closed || answer == null) {
            content.release();
            return;
        }
        timeline.lastByteNs = System.nanoTime();
        answer.onBody(content);
    }

    @Override
    public void onBodyEnd() {
        if (closed) {
            return;
        }
        if (answer.isCut()) {
            call().abort();
            onBroken(Breakage.ofCutCoding());
        } else {
            bodyEnded = true;
            learnKind();
            answer.onBodyEnd();
        }
    }

    @Override
    public void onReadComplete() {
        if (closed) {
            return;
        }
        learnKind();
        if (answer != null) {
            answer.onReadComplete();
        }
        if (!closed && call() != null && !paused && !mayReadOn()) {
            paused = true;
            call().reading(false);
        }
    }

    private void learnKind() {
        if (answer instanceof PlainAnswer whole) {
            whole.learnKind();
        }
    }

    /** Where memory is short, nothing is read for a client that has something left to take. */
    private boolean mayReadOn() {
        boolean tight = context.loop().memory().isTight();
        return downstream.isWritable() && !(tight && downstream.pendingBytes() > 0);
    }

    @Override
    public void onBroken(Breakage breakage) {
        if (closed) {
            return;
        }
        if (breakage.kind() == Breakage.Kind.NO_MEMORY) {
            sender.takeCall();
            listener.onMemoryOut();
            return;
        }
        sender.onBroken();
        if (answer != null && answer.onBroken(breakage)) {
            return;
        }
        if (breakage.kind() == Breakage.Kind.STALE && !retriedStale && listener.mayGoAfresh(this)) {
            retriedStale = true;
            sender.beginAgain();
            onConnectionLost();
            return;
        }
        boolean protocol = breakage.kind() == Breakage.Kind.PROTOCOL;
        String code =
                protocol ? "upstream_protocol" : StreamEnding.errorOf(breakage).code();
        String reason = code.substring(code.indexOf('_') + 1);
        fail(Failure.of(reason, 502, code, "The upstream failed before its first output: " + breakage.detail()));
    }

    @Override
    public void onUpstreamWritable(boolean writable) {
        if (writable) {
            sender.readRequestAgain();
        }
    }

    /** The client takes more again. */
    void resume() {
        if (paused && call() != null) {
            paused = false;
            timeline.resumedNs = System.nanoTime();
            timeline.lastByteNs = timeline.resumedNs;
            call().reading(true);
        }
    }

    /** Looks at the limits on the upstream's silence, and keeps the client's stream alive. */
    void onSweep(long nowNs) {
        if (sender.isStalled(nowNs, scope.timeouts().writeStall().toNanos())) {
            fail(Failure.of("write_stall", 504, "upstream_write_stall", "The upstream takes no more of the request."));
            return;
        }
        Deadlines.Phase phase = answer == null ? Deadlines.Phase.AWAITING_ANSWER : answer.phase();
        if (!request.complete() && phase == Deadlines.Phase.AWAITING_ANSWER) {
            return;
        }
        Failure overdue = answer instanceof PlainAnswer whole ? whole.overdue(nowNs) : null;
        if (overdue != null) {
            fail(overdue);
            return;
        }
        if (paused && mayReadOn()) {
            resume();
        }
        if (!paused && (answer == null || answer.isLimited())) {
            Ending expired = Deadlines.expired(timeline, scope.timeouts(), phase, nowNs);
            if (expired != null) {
                expire(expired);
                return;
            }
        }
        if (answer != null) {
            answer.onSweep(nowNs);
        }
    }

    private void expire(Ending ending) {
        if (answer != null && answer.expire(ending)) {
            return;
        }
        if (sender.isTranslating()) {
            onUnsendable(Failure.overloaded());
        } else {
            fail(Failure.of("timeout", 504, ending.error().code(), ending.message() + "."));
        }
    }

    /**
     * Others are tried in its place, but what it has may still be given. It is deaf from now on.
     *
     * @return why it failed, with an answer of ours if its own is not here as a whole
     */
    Failure putAside(Failure failure) {
        abort();
        sender.readRequestAgain();
        if (failure.refusal() != null || plain() == null || bodyEnded) {
            return failure;
        }
        int status = plain().status();
        return failure.withRefusal(
                new Refusal(status, "upstream_error", "The upstream answered " + status + ".", null, null));
    }

    /** The client gets what this has, though it is an error. */
    void give() {
        closed = false;
        answer.give();
    }

    /** The client has what it wanted: the attempt was one. */
    void onAnswered() {
        scope.onOriginServed();
    }

    /** Ends the attempt at once: its upstream sees its connection close, and nothing it reports is heard any more. */
    @Override
    public void abort() {
        closed = true;
        sender.cancel();
        UpstreamCall current = sender.takeCall();
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
        boolean streaming = call() != null && call().isStreaming() && request.complete();
        if (!streaming || !(answer instanceof StreamAnswer streamed)) {
            return false;
        }
        closed = true;
        streamed.cancelGrace();
        new ReadOn(context.loop(), sender.takeCall(), streamed.stream(), scope, bounds, done);
        return true;
    }

    /** Lets go of everything that is held; the connection is left as it is. */
    void release() {
        closed = true;
        sender.cancel();
        scope.origin().onIgnored();
        sender.readRequestAgain();
        if (answer != null) {
            answer.release();
        }
    }

    @Override
    public void fail(Failure failed) {
        var credential = scope.credential();
        Failure failure = credential == null ? failed : failed.masked(new SecretMask(credential));
        if (scope.isOwnLimit(failure.reason())) {
            scope.origin().onIgnored();
        } else {
            scope.onOriginFailed();
        }
        listener.onFailure(this, failure);
    }

    @Override
    public UpstreamCall call() {
        return sender.call();
    }

    @Override
    public UpstreamCall takeCall() {
        return sender.takeCall();
    }

    @Override
    public boolean bodyEnded() {
        return bodyEnded;
    }

    @Override
    public boolean isClosed() {
        return closed;
    }

    @Override
    public boolean isPaused() {
        return paused;
    }

    @Override
    public boolean mayFail() {
        return listener.mayGoOn(this);
    }

    @Override
    public void refuse(Refusal refusal) {
        listener.onRefusal(this, refusal);
    }

    @Override
    public void onCommit() {
        listener.onCommit(this);
    }
}
