package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.server.balance.RetryAfter;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.Interpreter;
import io.millrace.server.http.Inflation;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.FailureClass;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.upstream.CallListener.Breakage;
import io.millrace.server.upstream.UpstreamCall;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** An answer that is an event stream. */
final class StreamAnswer implements UpstreamAnswer {
    /** How long an upstream may still send data after its terminal or its error. */
    static final long AFTER_TERMINAL_MS = 100;

    private static final Failure TRUNCATED = Failure.of(
            "truncated",
            502,
            RelayError.UPSTREAM_TRUNCATED.code(),
            "The upstream's stream ended before its first output.");

    private final Scope scope;
    private final Timeline timeline;
    private final Owner owner;
    private final StreamRelay stream;
    private final @Nullable Inflation inflation;
    private @Nullable ScheduledFuture<?> grace;
    private boolean outputReported;

    /**
     * Creates a stream from its head.
     *
     * @param interpreter between the client and the upstream; null if they have the same dialect
     * @param inflation removes the coding of data from {@link #onBody}; null if there is none. The ownership is
     *     transferred
     */
    StreamAnswer(
            Scope scope,
            Owner owner,
            HttpResponse head,
            @Nullable Interpreter interpreter,
            @Nullable Inflation inflation) {
        this.scope = scope;
        this.owner = owner;
        this.inflation = inflation;
        timeline = scope.timeline();
        timeline.countGaps(
                scope.context().loop().counters().histograms(),
                scope.place().destination().upstream().name());
        AnswerTerms terms = scope.terms();
        Interpreter between = terms.wantsWhole() ? collecting(scope, interpreter) : interpreter;
        var clientHead = Heads.stream(
                head,
                scope.credential(),
                terms.requestId(),
                scope.context().streamId().get());
        if (between != null) {
            String type = between.collects() ? ClientSide.JSON : terms.client().streamType();
            String dropped = scope.translatedTo() == null ? null : between.dropped();
            Heads.ofTranslated(clientHead, terms.dialect(), type, dropped);
        } else if (!Heads.isEventStream(head)) {
            clientHead
                    .headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, terms.client().streamType());
        }
        stream = new StreamRelay(
                scope.context(),
                timeline,
                scope.dialect(),
                between,
                scope.credential(),
                new StreamStart(scope.context().downstream(), clientHead, owner::onCommit));
    }

    private static Interpreter collecting(Scope scope, @Nullable Interpreter interpreter) {
        Interpreter made = interpreter != null
                ? interpreter
                : scope.terms()
                        .kindChanger(
                                scope.place().endpoint().upstream(),
                                scope.place().target());
        made.collect(scope.terms().requestId());
        return made;
    }

    /** Reads the body of {@code call}, whose head is {@code head}, as this stream. */
    void begin(UpstreamCall call, HttpResponse head) {
        stream.read(call, head);
        // A stream of an unknown protocol cannot be tried again: its client may wait for the head alone.
        boolean held = !scope.timeouts().hold().isZero() && scope.dialect() != Dialect.UNKNOWN;
        if (!held && !stream.collects()) {
            stream.commit();
        }
    }

    StreamRelay stream() {
        return stream;
    }

    /** Ends the wait for further data. */
    void cancelGrace() {
        if (grace != null) {
            grace.cancel(false);
        }
    }

    @Override
    public boolean committed() {
        return stream.committed();
    }

    @Override
    public void learnKind() {
        // It is already known to be an event stream.
    }

    /** Takes a part of an event stream that came with another content type. */
    @Override
    public void onBody(ByteBuf content) {
        if (inflation == null) {
            feed(content);
            return;
        }
        try {
            inflation.inflate(content, piece -> feed(piece.retain()));
        } finally {
            content.release();
        }
    }

    /** Takes inflated bytes. */
    void feed(ByteBuf content) {
        try {
            stream.decode(content);
        } finally {
            content.release();
        }
    }

    @Override
    public void onReadComplete() {
        if (!stream.committed() && (stream.state().failed() || stream.state().garbled())) {
            onError();
        } else {
            onRead();
        }
    }

    private void onRead() {
        if (stream.complete()) {
            // The client needs nothing more from the upstream.
            UpstreamCall call = owner.sender().takeCall();
            if (call != null) {
                call.release(AFTER_TERMINAL_MS);
            }
            end(stream.endingAsSeen());
            return;
        }
        stream.onReadComplete();
        if (!outputReported && timeline.firstOutputNs != 0) {
            outputReported = true;
            scope.origin().onFirstOutput(timeline.firstOutputNs);
        }
        if (stream.state().nearlyComplete() && grace == null) {
            startGrace();
        }
    }

    @Override
    public boolean isCut() {
        return inflation != null && !inflation.isWhole();
    }

    @Override
    public void onBodyEnd() {
        Ending ending = stream.endingAtBodyEnd();
        owner.sender().releaseCall();
        boolean bad = stream.state().failed() || stream.state().garbled();
        if (stream.committed() || (ending.error() == null && !bad)) {
            end(ending);
        } else if (bad) {
            onError();
        } else {
            owner.fail(TRUNCATED);
        }
    }

    @Override
    public boolean onBroken(Breakage breakage) {
        if (stream.committed()) {
            end(stream.endingAtBreak(breakage));
        }
        return stream.committed();
    }

    /**
     * Handles an error in the stream's first frames: another attempt may succeed, or the client gets the error. An
     * answer that cannot be translated is not a failure of the upstream, because another attempt would bring the same
     * answer.
     */
    private void onError() {
        String type = stream.state().inspector().errorType();
        if (stream.state().inspector().endedUnanswered()) {
            owner.fail(TRUNCATED);
        } else if (type != null
                && stream.state().failed()
                && FailureClass.isRetryable(type)
                && !FailureClass.isHopeless(stream.state().inspector().errorName())) {
            owner.fail(Failure.ofAnswer(type, RetryAfter.NONE));
        } else {
            scope.onOriginServed();
            give();
        }
    }

    @Override
    public void give() {
        stream.commit();
        if (owner.bodyEnded() || owner.sender().call() == null) {
            end(stream.endingAsSeen());
        } else {
            onRead();
        }
    }

    @Override
    public Deadlines.Phase phase() {
        if (stream.state().finished()) {
            return Deadlines.Phase.FINISHED;
        }
        return timeline.firstOutputNs != 0 ? Deadlines.Phase.STREAMING : Deadlines.Phase.AWAITING_ANSWER;
    }

    @Override
    public boolean isLimited() {
        return scope.dialect() != Dialect.UNKNOWN;
    }

    @Override
    public boolean expire(Ending ending) {
        // Without an error the answer is complete, and only its terminal is missing.
        if (stream.committed() || ending.error() == null) {
            owner.abort();
            end(ending);
            return true;
        }
        return false;
    }

    @Override
    public void onSweep(long nowNs) {
        boolean held = !stream.committed() && !stream.collects();
        if (held && nowNs - timeline.headNs > scope.timeouts().hold().toNanos()) {
            stream.commit();
            stream.flush(nowNs);
        }
        stream.onSweep(nowNs);
    }

    private void startGrace() {
        grace = scope.context()
                .downstream()
                .eventLoop()
                .schedule(this::onGraceOver, AFTER_TERMINAL_MS, TimeUnit.MILLISECONDS);
    }

    private void onGraceOver() {
        if (owner.isClosed()) {
            return;
        }
        if (owner.isPaused() || stream.halfFrameSent()) {
            startGrace();
            return;
        }
        owner.abort();
        end(stream.endingAsSeen());
    }

    /** Ends the client's stream, and reports the result to the origin's state. */
    private void end(Ending asked) {
        stream.commit();
        Ending ending = stream.writeEnd(asked);
        if (timeline.firstOutputNs != 0) {
            scope.origin().onFirstOutput(timeline.firstOutputNs);
        }
        boolean completed = ending.outcome() == Outcome.COMPLETED;
        boolean ownError = ending.outcome() == Outcome.UPSTREAM_ERROR
                && stream.state().failed()
                && !FailureClass.isRetryable(stream.state().inspector().errorType());
        if ((!completed && scope.dialect() == Dialect.UNKNOWN)
                || (stream.state().failed()
                        && scope.isOwnLimit(stream.state().inspector().errorType()))) {
            scope.origin().onIgnored();
        } else if (completed || ownError) {
            scope.onOriginServed();
        } else {
            scope.onOriginFailed();
        }
        scope.listener().onStreamEnd(ending);
    }

    @Override
    public long held(Held.Pool pool) {
        return stream.held(pool);
    }

    @Override
    public void release() {
        cancelGrace();
        if (inflation != null) {
            inflation.close();
        }
        stream.release();
    }
}
