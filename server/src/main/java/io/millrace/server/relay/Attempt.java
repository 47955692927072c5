package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.format.Interpreter;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.Refusal;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.Itinerary.Place;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.upstream.ConnectFailure;
import io.millrace.server.upstream.UpstreamCall;
import io.millrace.server.upstream.Upstreams;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/**
 * One attempt of an exchange at one origin: gets a connection, has the request sent, and the answer judged. It is either
 * committed, and then is the client's answer to its end, or it fails, and its listener decides what happens next. Once it
 * is abandoned, it ignores what its connection still reports. Confined to the exchange's event loop.
 */
final class Attempt implements RequestSender.Owner, UpstreamAnswer.Owner, Upstreams.Waiter {
    private final AttemptContext context;
    private final Timeline timeline;
    private final Listener listener;
    private final UpstreamAnswer.Scope scope;
    private final RequestSender sender;
    private @Nullable UpstreamAnswer answer;
    private boolean closed;
    private boolean bodyEnded;
    private boolean retriedStale;
    private boolean paused;

    /** What an attempt reports to its owner, as long as it is not the client's answer. */
    interface Listener {
        /** Whether {@code asking} may fail, because there is something left to try. */
        boolean mayGoOn(Attempt asking);

        /** Whether {@code asking}, whose pooled connection was dead already, may take a new one: that is an attempt more. */
        boolean mayGoAfresh(Attempt asking);

        /** It has failed before the client had anything of it. */
        void onFailure(Attempt failed, Failure failure);

        /** What it got cannot be passed on: the client gets {@code refusal} in its place. */
        void onRefusal(Attempt by, Refusal refusal);

        /** It is the client's answer, whose head has not left yet and may be changed. */
        void onCommit(Attempt winner);

        /** There was no memory for what came, not even for an answer. */
        void onMemoryOut();
    }

    /** An attempt at {@code place}, which counts it from now on; {@code answers} learns how its answer fares at the client. */
    Attempt(AttemptContext context, Timeline timeline, Place place, Listener listener, AnswerListener answers) {
        this.context = context;
        this.timeline = timeline;
        this.listener = listener;
        Dialect translatedTo = context.terms().translatedFor(place.endpoint().upstream());
        timeline.attemptNs = System.nanoTime();
        var origin = place.endpoint().state().onStart(timeline.attemptNs);
        scope = new UpstreamAnswer.Scope(context, place, timeline, origin, translatedTo, answers);
        sender = new RequestSender(context, place, translatedTo, this);
    }

    /** Asks for a connection. */
    void start() {
        context.loop().upstreams().acquire(scope.place().endpoint().origin(), this);
    }

    @Override
    public RequestSender sender() {
        return sender;
    }

    /** The event stream that came, or null. */
    @Nullable
    StreamRelay stream() {
        return answer instanceof StreamAnswer streamed ? streamed.stream() : null;
    }

    /** The response that is no event stream, or null. */
    @Nullable
    PlainRelay plain() {
        return answer instanceof PlainAnswer whole ? whole.plain() : null;
    }

    /** Where it belongs: its place, its moments, and what its origin is told. */
    UpstreamAnswer.Scope scope() {
        return scope;
    }

    /** What is to be said of the upstream. */
    Summary.Asked summary() {
        return new Summary.Asked(scope.place().destination().upstream().name(), scope.translatedTo(), sender.dropped());
    }

    /** Whether it is the client's answer, so that nothing else can be. */
    boolean committed() {
        return answer != null && answer.committed();
    }

    /** Bytes that this holds of an answer in {@code pool}. */
    long held(Held.Pool pool) {
        return answer == null ? 0 : answer.held(pool);
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
        Failure made = Failure.ofConnect(failure);
        if (made.unasked()) {
            onUnsendable(made);
        } else {
            fail(made);
        }
    }

    @Override
    public void onConnectionLost() {
        context.loop().upstreams().acquireNew(scope.place().endpoint().origin(), this);
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
        UpstreamCall call = sender.call();
        if (closed || call == null) {
            return;
        }
        timeline.onHead(System.nanoTime());
        sender.forgetRequest();
        Interpreter interpreter = sender.interpreter();
        if (Heads.isEventStream(head) && !context.terms().request().method().equals(HttpMethod.HEAD)) {
            var streamed = new StreamAnswer(scope, this, head, interpreter, null);
            answer = streamed;
            streamed.begin(call, head);
        } else {
            var whole = new PlainAnswer(scope, this, head, interpreter);
            answer = whole;
            whole.begin();
        }
    }

    @Override
    public void onStream(HttpResponse head, ByteBuf begun, @Nullable Inflation inflation) {
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
        UpstreamCall call = sender.call();
        if (closed || answer == null || call == null) {
            return;
        }
        if (answer.isCut()) {
            call.abort();
            onBroken(Breakage.ofCutCoding());
        } else {
            bodyEnded = true;
            answer.learnKind();
            answer.onBodyEnd();
        }
    }

    @Override
    public void onReadComplete() {
        if (closed) {
            return;
        }
        if (answer != null) {
            answer.learnKind();
            answer.onReadComplete();
        }
        if (!closed && sender.call() != null && !paused && !context.mayReadOn()) {
            paused = true;
            sender.call().reading(false);
        }
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
        fail(StreamEnding.beforeOutput(breakage));
    }

    @Override
    public void onUpstreamWritable(boolean writable) {
        if (writable) {
            sender.readRequestAgain();
        }
    }

    /** The client takes more again. */
    void resume() {
        if (paused && sender.call() != null) {
            paused = false;
            timeline.onResumed(System.nanoTime());
            sender.call().reading(true);
        }
    }

    /** Looks at the limits on the upstream's silence, and keeps the client's stream alive. */
    void onSweep(long nowNs) {
        if (sender.isStalled(nowNs, scope.timeouts().writeStall().toNanos())) {
            fail(Failure.of("write_stall", 504, "upstream_write_stall", "The upstream takes no more of the request."));
            return;
        }
        Deadlines.Phase phase = answer == null ? Deadlines.Phase.AWAITING_ANSWER : answer.phase();
        if (!context.terms().request().complete() && phase == Deadlines.Phase.AWAITING_ANSWER) {
            return;
        }
        Failure overdue = answer instanceof PlainAnswer whole ? whole.overdue(nowNs) : null;
        if (overdue != null) {
            fail(overdue);
            return;
        }
        if (paused && context.mayReadOn()) {
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
        RelayError error = ending.error();
        if ((answer != null && answer.expire(ending)) || error == null) {
            return;
        }
        if (sender.isTranslating()) {
            onUnsendable(Failure.overloaded());
        } else {
            fail(Failure.of("timeout", 504, error.code(), ending.message() + "."));
        }
    }

    /**
     * Others are tried in its place, but what it has may still be given. From now on it ignores its connection.
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
        return failure.withRefusal(Refusal.of(status, "upstream_error", "The upstream answered " + status + "."));
    }

    /** The client gets what this has, though it is an error. */
    void give() {
        closed = false;
        if (answer != null) {
            answer.give();
        }
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
        UpstreamCall call = sender.call();
        boolean complete = context.terms().request().complete();
        if (call == null || !call.isStreaming() || !complete || !(answer instanceof StreamAnswer streamed)) {
            return false;
        }
        closed = true;
        streamed.cancelGrace();
        sender.takeCall();
        new ReadOn(context.loop(), call, streamed.stream(), scope, bounds, done);
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
        Failure failure = scope.masked(failed);
        scope.onOriginFailed(failure.reason());
        listener.onFailure(this, failure);
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
