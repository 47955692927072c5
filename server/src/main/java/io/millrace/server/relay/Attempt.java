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
 * One attempt of an exchange at one origin. It gets a connection, sends the request, and judges the answer. Then it is
 * either committed, and is the client's answer to its end, or it fails, and its listener decides what happens next.
 * After it was abandoned, it ignores its connection. Confined to the exchange's event loop.
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

    /** Receives the events of an attempt until it is the client's answer. */
    interface Listener {
        /** Whether {@code asking} may fail, because there is another place to try. */
        boolean mayGoOn(Attempt asking);

        /** Whether {@code asking} may replace its dead pooled connection. This counts as an attempt. */
        boolean mayGoAfresh(Attempt asking);

        /** It has failed before the client had any part of it. */
        void onFailure(Attempt failed, Failure failure);

        /** Its answer cannot be passed on. The client gets {@code refusal} in its place. */
        void onRefusal(Attempt by, Refusal refusal);

        /** It is the client's answer. The head was not written yet, and may be changed. */
        void onCommit(Attempt winner);

        /** There was no memory for the answer, not even for an error. */
        void onMemoryOut();
    }

    /** Creates an attempt at {@code place}, and counts it there. {@code answers} is for the client's answer. */
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

    /** The event stream of the answer, or null. */
    @Nullable
    StreamRelay stream() {
        return answer instanceof StreamAnswer streamed ? streamed.stream() : null;
    }

    /** The response that is not an event stream, or null. */
    @Nullable
    PlainRelay plain() {
        return answer instanceof PlainAnswer whole ? whole.plain() : null;
    }

    /** The place of the attempt, its timeline, and the state of its origin. */
    UpstreamAnswer.Scope scope() {
        return scope;
    }

    /** The summary of the upstream. */
    Summary.Asked summary() {
        return sender.summary();
    }

    /** Whether it is the client's answer, so that no other attempt can be. */
    boolean committed() {
        return answer != null && answer.committed();
    }

    /** The bytes of an answer that this holds in {@code pool}. */
    long held(Held.Pool pool) {
        return answer == null ? 0 : answer.held(pool);
    }

    /** A used connection may be closed already. If nothing may be sent twice, the request would then have no answer. */
    @Override
    public boolean takesUsed() {
        return !context.route().retry().sentOnce();
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
        sender.onAnswered(head);
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
        if (!closed && !paused && !context.mayReadOn() && sender.call() != null) {
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

    /** Continues, because the client takes data again. */
    void resume() {
        if (paused && sender.call() != null) {
            paused = false;
            timeline.onResumed(System.nanoTime());
            sender.call().reading(true);
        }
    }

    /** Checks the time limits of the upstream, and keeps the client's stream alive. */
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

    /** Puts this aside, but keeps its answer. Returns the failure, with the relay's error for an incomplete answer. */
    Failure putAside(Failure failure) {
        abort();
        sender.readRequestAgain();
        if (failure.refusal() != null || plain() == null || bodyEnded) {
            return failure;
        }
        int status = plain().status();
        return failure.withRefusal(Refusal.of(status, "upstream_error", "The upstream answered " + status + "."));
    }

    /** Gives the answer of this attempt to the client, although it is an error. */
    void give() {
        closed = false;
        if (answer != null) {
            answer.give();
        }
    }

    /** Ends the attempt at once: closes its connection and ignores further events. */
    @Override
    public void abort() {
        closed = true;
        sender.cancel();
        UpstreamCall current = sender.takeCall();
        if (current != null && !bodyEnded) {
            current.abort();
        }
    }

    /** Reads the rest of the stream without the client, then runs {@code done}. False if there is nothing to read. */
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

    /** Releases everything that is held, except the connection. */
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
