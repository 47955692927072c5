package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.balance.OriginAttempt;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Timeouts;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.SecretMask;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.FailureClass;
import io.millrace.server.route.Itinerary.Place;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/**
 * What comes back from an upstream, from its head to its end: judged first, and once it is committed the client's answer.
 * Confined to its event loop.
 */
interface UpstreamAnswer {
    /**
     * Where an answer belongs.
     *
     * @param origin told how the attempt fares
     * @param translatedTo what the upstream was spoken to in, where that is not what the client speaks; else null
     * @param listener learns how this fares once it is the client's answer
     */
    record Scope(
            AttemptContext context,
            Place place,
            Timeline timeline,
            OriginAttempt origin,
            @Nullable Dialect translatedTo,
            AnswerListener listener) {
        AnswerTerms terms() {
            return context.terms();
        }

        Timeouts timeouts() {
            return context.route().timeouts(place.target());
        }

        /** What was asked for with a key of ours, or null. */
        @Nullable
        Credential credential() {
            return place.destination().upstream().credential();
        }

        /** The dialect of what comes back. */
        Dialect dialect() {
            return translatedTo == null ? terms().dialect() : translatedTo;
        }

        /** Whether the client's own key has reached its limit. That says nothing about the requests of other clients. */
        boolean isOwnLimit(@Nullable String reason) {
            return credential() == null && terms().request().hasKey() && FailureClass.isKeyLimit(reason);
        }

        /** The same failure, told without the key that it was asked with: texts may quote the upstream. */
        Failure masked(Failure failure) {
            return credential() == null ? failure : failure.masked(new SecretMask(credential()));
        }

        /** The origin has failed for {@code reason}, unless that is the client's own doing. */
        void onOriginFailed(String reason) {
            if (isOwnLimit(reason)) {
                origin.onIgnored();
            } else {
                onOriginFailed();
            }
        }

        void onOriginFailed() {
            origin.onFailure(System.nanoTime(), timeouts().ttft().toNanos());
        }

        void onOriginServed() {
            origin.onSuccess(System.nanoTime());
        }
    }

    /** What an answer tells its attempt, and asks of it. */
    interface Owner {
        /** Who has the connection. */
        RequestSender sender();

        /** Whether the body has ended as its framing says. */
        boolean bodyEnded();

        /** Whether nothing more is to be done. */
        boolean isClosed();

        /** Whether the upstream is not read because the client takes nothing. */
        boolean isPaused();

        /** Whether there is something left to try. */
        boolean mayFail();

        /** Ends the connection at once. */
        void abort();

        /** The origin is at fault, and the client has nothing of this. */
        void fail(Failure failure);

        /** The upstream has answered, but the client gets {@code refusal} in place of what came. */
        void refuse(Refusal refusal);

        /** This is the client's answer from now on. */
        void onCommit();

        /** The body is an event stream, though its head does not say so: {@code begun} came of it, which is handed over. */
        void onStream(HttpResponse head, ByteBuf begun, @Nullable Inflation inflation);
    }

    /** Whether it is the client's answer, so that nothing else can be. */
    boolean committed();

    /** What came so far may tell that the body is another kind than its head says; then another answer takes this one's place. */
    void learnKind();

    /** Takes a part of the body; ownership is transferred. */
    void onBody(ByteBuf content);

    /** All that one read of the upstream brought is here. */
    void onReadComplete();

    /** Whether a body that has ended as its framing says is cut all the same: its compressed data has no end. */
    boolean isCut();

    /** The body has ended as its framing says. The connection is still to be released. */
    void onBodyEnd();

    /**
     * The connection broke.
     *
     * @return false if that is an ordinary failure, of which the client has seen nothing
     */
    boolean onBroken(Breakage breakage);

    /** What the upstream is waited for. */
    Deadlines.Phase phase();

    /** Whether limits on the upstream's silence apply. */
    boolean isLimited();

    /**
     * A limit on the upstream's silence has passed.
     *
     * @return false if that is an ordinary failure, of which the client has seen nothing
     */
    boolean expire(Ending ending);

    /** Checks the time limits of this answer. */
    void onSweep(long nowNs);

    /** The client gets this, though it is an error. */
    void give();

    /** Bytes that this holds in {@code pool}. */
    long held(Held.Pool pool);

    /** Releases all that is held. */
    void release();
}
