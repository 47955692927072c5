package io.millrace.server.relay;

import io.millrace.codec.dialect.AnswerFacts;
import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.translate.TokenCounts;
import io.millrace.codec.translate.TranslatedAnswer;
import io.millrace.server.balance.RetryAfter;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.Interpreter;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.Refusal;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.FailureClass;
import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A response whose head does not say that it is an event stream. */
final class PlainAnswer implements UpstreamAnswer {
    /** How long the body of an error is awaited. */
    private static final long MAX_ERROR_BODY_NS = TimeUnit.SECONDS.toNanos(1);

    private final Scope scope;
    private final AnswerTerms terms;
    private final Owner owner;
    private final HttpResponse head;
    private final PlainRelay plain;
    private @Nullable Interpreter interpreter;
    private @Nullable Inflation inflation;
    /** Why this is a failure; null if it is none, or if the client gets it anyway. */
    private @Nullable Failure failure;

    private boolean suspect;
    /** Whether the body may be an event stream, although its head does not say so. */
    private boolean unsure;

    /**
     * Creates the answer from its head.
     *
     * @param interpreter between the client and the upstream; null if they have the same dialect
     */
    PlainAnswer(Scope scope, Owner owner, HttpResponse head, @Nullable Interpreter interpreter) {
        this.scope = scope;
        this.owner = owner;
        this.head = head;
        this.interpreter = interpreter;
        terms = scope.terms();
        if (mustRead()) {
            inflation = Inflation.of(head.headers().get(HttpHeaderNames.CONTENT_ENCODING, ""));
        }
        var clientHead = Heads.plain(head, scope.credential(), terms.requestId());
        if (inflation != null) {
            Heads.ofInflated(clientHead);
        }
        if (interpreter != null) {
            String type = isSuccess(status()) ? terms.client().answerType() : ClientSide.JSON;
            String dropped = scope.translatedTo() == null ? null : interpreter.dropped();
            Heads.ofTranslated(clientHead, terms.dialect(), type, dropped);
        }
        plain = new PlainRelay(
                scope.context().downstream(),
                clientHead,
                scope.credential(),
                interpreter == null ? null : (status, body) -> translated(interpreter, status, body),
                inflation,
                isAnswer() ? new AnswerFacts(scope.dialect()) : null,
                scope.context().loop().memory());
    }

    /** Judges the head. */
    void begin() {
        boolean coded = Heads.isCoded(head);
        if (mustRead() && inflation == null) {
            onUnreadable();
        } else if (isFailure()) {
            failure = Failure.ofAnswer(Integer.toString(status()), retryAfterNs());
        } else {
            suspect = mayHideError();
            boolean told = scope.dialect() != Dialect.UNKNOWN && terms.isForAnswer() && (!coded || inflation != null);
            unsure = told && status() == 200;
        }
    }

    PlainRelay plain() {
        return plain;
    }

    /** Why this is a failure, if its body takes too long; otherwise null. */
    @Nullable
    Failure overdue(long nowNs) {
        return nowNs - scope.timeline().headNs > MAX_ERROR_BODY_NS ? failure : null;
    }

    /**
     * Decides from the first bytes of the body whether it is an event stream. If so, the attempt is told, and this
     * answer is over.
     */
    @Override
    public void learnKind() {
        if (!unsure) {
            return;
        }
        EventText.Verdict verdict = EventText.of(plain.held());
        // The client waits for one body, and blank lines keep its connection alive. They are passed on at once.
        boolean open = verdict == EventText.Verdict.UNSURE
                || (verdict == EventText.Verdict.BLANK && (scope.translatedTo() != null || terms.wantsStream()));
        if (open && !owner.bodyEnded() && !plain.isFull()) {
            return;
        }
        unsure = false;
        if (verdict == EventText.Verdict.EVENTS) {
            Inflation rest = inflation;
            inflation = null;
            owner.onStream(head, plain.takeHeld(), rest);
        } else if (terms.wantsStream() && scope.translatedTo() == null && PlainRelay.isJson(head)) {
            Interpreter by = interpreter != null
                    ? interpreter
                    : terms.kindChanger(
                            scope.place().endpoint().upstream(), scope.place().target());
            interpreter = by;
            plain.translateBy((status, body) -> restreamed(by, body));
        }
    }

    @Override
    public boolean committed() {
        return plain.committed();
    }

    @Override
    public void onBody(ByteBuf content) {
        plain.onBody(content);
    }

    @Override
    public void onReadComplete() {
        if (plain.isTranslated() && plain.isFull() && scope.translatedTo() == null) {
            plain.leaveAsItIs();
        }
        if (plain.isTranslated() && plain.isFull()) {
            String message = "The upstream's answer is too long to be translated.";
            scope.onOriginServed();
            owner.refuse(Refusal.of(502, "upstream_error", message));
            return;
        }
        if (failure != null && plain.isFull()) {
            owner.fail(failure);
            return;
        }
        boolean waits = unsure || failure != null || plain.isTranslated() || plain.committed();
        if (!waits && (!suspect || plain.isFull() || !plain.mayBeError())) {
            commit();
        }
        if (!owner.isClosed()) {
            plain.onReadComplete();
        }
    }

    @Override
    public boolean isCut() {
        return isInflatedInPart() && (plain.started() || status() < 400);
    }

    private boolean isInflatedInPart() {
        return inflation != null && !inflation.isWhole();
    }

    @Override
    public void onBodyEnd() {
        owner.sender().releaseCall();
        if (isInflatedInPart()) {
            onUnreadable(); // the status is enough
            return;
        }
        if (failure == null && !suspect) {
            if (plain.committed()) {
                end();
            } else {
                give();
            }
            return;
        }
        var error = plain.held() == null ? FailureClass.ErrorBody.NONE : FailureClass.ofBody(plain.held());
        if (suspect) {
            if (error.retryable()) {
                owner.fail(Failure.ofAnswer(error.keyLimit() ? "429" : "error", error.retryAfterNs()));
            } else {
                give();
            }
        } else if (failure == null || error.hopeless()) {
            give();
        } else if (failure.retryAfterNs() == RetryAfter.NONE) {
            owner.fail(Failure.ofAnswer(failure.reason(), error.retryAfterNs()));
        } else {
            owner.fail(failure);
        }
    }

    @Override
    public boolean onBroken(Breakage breakage) {
        if (plain.started()) {
            scope.onOriginFailed();
            scope.listener().onBroken(Ending.outcomeOf(StreamEnding.errorOf(breakage)));
            return true;
        }
        if (failure == null) {
            return false;
        }
        // The status is known, but the rest of the body will not come.
        String message = "The upstream answered " + status() + " and broke off: " + breakage.detail();
        owner.fail(failure.withRefusal(Refusal.of(status(), "upstream_error", message)));
        return true;
    }

    @Override
    public void give() {
        if (owner.bodyEnded()) {
            plain.translate();
        }
        commit();
        if (owner.isClosed()) {
            return;
        }
        if (owner.bodyEnded()) {
            end();
        } else {
            plain.onReadComplete();
        }
    }

    @Override
    public Deadlines.Phase phase() {
        return Deadlines.Phase.PLAIN_BODY;
    }

    @Override
    public boolean isLimited() {
        return true;
    }

    @Override
    public boolean expire(Ending ending) {
        if (plain.started()) {
            scope.onOriginFailed();
            scope.listener().onBroken(ending.outcome());
        }
        return plain.started();
    }

    @Override
    public void onSweep(long nowNs) {
        // There are no limits besides those of the attempt.
    }

    @Override
    public long held(Held.Pool pool) {
        return pool == Held.Pool.HEAP ? plain.counted() : 0;
    }

    @Override
    public void release() {
        plain.release();
        if (inflation != null) {
            inflation.close();
            inflation = null;
        }
    }

    private void commit() {
        failure = null;
        suspect = false;
        if (!scope.listener().endsEarly(plain)) {
            owner.onCommit();
            plain.commit();
        }
    }

    private void end() {
        plain.onBodyEnd();
        scope.onOriginServed();
        scope.listener().onPlainEnd();
    }

    private TranslatedAnswer translated(Interpreter by, int status, byte[] body) {
        if (!isSuccess(status)) {
            return new TranslatedAnswer(status, by.error(status, body, terms.requestId()), TokenCounts.NONE);
        }
        return terms.wantsStream()
                ? streamed(by.streamed(body, terms.requestId()))
                : by.answer(body, terms.requestId());
    }

    /** The stream from a body of the client's own dialect; null keeps a body that is no answer unchanged. */
    private @Nullable TranslatedAnswer restreamed(Interpreter by, byte[] body) {
        TranslatedAnswer made = by.streamed(body, terms.requestId());
        return made.status() == 200 ? streamed(made) : null;
    }

    private TranslatedAnswer streamed(TranslatedAnswer made) {
        if (made.status() == 200) {
            Heads.ofStreamed(plain.head(), terms.client().streamType());
        }
        return made;
    }

    /**
     * Whether the answer may have an error. Some servers answer a request for a stream with an error in JSON and status
     * 200.
     */
    private boolean mayHideError() {
        return status() == 200
                && terms.request().fields().stream()
                && scope.dialect() != Dialect.UNKNOWN
                && PlainRelay.isJson(head)
                && owner.mayFail();
    }

    /** Whether the body is compressed and must be read, even if only to search it for the relay's key. */
    private boolean mustRead() {
        boolean searched = scope.credential() != null && PlainRelay.isSearched(head);
        return (interpreter != null || searched) && Heads.isCoded(head) && !isBodiless();
    }

    private boolean isAnswer() {
        boolean readable = inflation != null || !Heads.isCoded(head);
        return isSuccess(status()) && terms.isForAnswer() && scope.dialect() != Dialect.UNKNOWN && readable;
    }

    private boolean isBodiless() {
        return terms.request().method().equals(HttpMethod.HEAD)
                || status() == HttpResponseStatus.NO_CONTENT.code()
                || status() == HttpResponseStatus.NOT_MODIFIED.code();
    }

    private void onUnreadable() {
        String message = "The upstream answered " + status() + ". Its body is coded and cannot be "
                + (interpreter == null ? "searched for keys." : "translated.");
        var refusal = Refusal.of(status() < 400 ? 502 : status(), "upstream_error", message);
        if (isFailure()) {
            owner.fail(new Failure(Integer.toString(status()), true, retryAfterNs(), refusal));
        } else {
            scope.onOriginServed();
            owner.refuse(refusal);
        }
    }

    /** Whether another attempt may succeed. Instructions of the upstream about its errors have priority. */
    private boolean isFailure() {
        return status() >= 400 && RetryAfter.shouldRetry(head.headers(), FailureClass.isRetryable(status()));
    }

    private long retryAfterNs() {
        return RetryAfter.parse(head.headers(), System.currentTimeMillis());
    }

    private int status() {
        return head.status().code();
    }

    private static boolean isSuccess(int status) {
        return status >= 200 && status < 300;
    }
}
