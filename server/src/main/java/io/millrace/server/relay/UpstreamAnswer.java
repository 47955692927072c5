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
 * An upstream's answer, from its head to its end. It is judged first, and becomes the client's answer when it is
 * committed. Confined to its event loop.
 */
interface UpstreamAnswer {
    /**
     * The place of an answer.
     *
     * @param origin receives the result of the attempt
     * @param translatedTo the dialect of the upstream if it is not the client's, otherwise null
     * @param listener receives the events of the answer when it is the client's
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

        /** The relay's key with which the upstream was asked, or null. */
        @Nullable
        Credential credential() {
            return place.destination().upstream().credential();
        }

        /** The dialect of the answer. */
        Dialect dialect() {
            return translatedTo == null ? terms().dialect() : translatedTo;
        }

        /**
         * Whether the client's own key has reached its limit. This says nothing about the requests of other clients.
         */
        boolean isOwnLimit(@Nullable String reason) {
            return credential() == null && terms().request().hasKey() && FailureClass.isKeyLimit(reason);
        }

        /** The failure without the key of the relay, because its texts may quote the upstream. */
        Failure masked(Failure failure) {
            return credential() == null ? failure : failure.masked(new SecretMask(credential()));
        }

        /** Reports that the origin has failed for {@code reason}, unless the client is the reason. */
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

    /** The attempt of an answer. */
    interface Owner {
        /** The owner of the connection. */
        RequestSender sender();

        /** Whether the body has ended by its framing. */
        boolean bodyEnded();

        /** Whether the attempt is over. */
        boolean isClosed();

        /** Whether the upstream is not read because the client takes no data. */
        boolean isPaused();

        /** Whether there is another place to try. */
        boolean mayFail();

        /** Ends the connection at once. */
        void abort();

        /** Fails the attempt. The origin is at fault, and the client has no part of the answer. */
        void fail(Failure failure);

        /** Refuses the answer: the client gets {@code refusal} in its place. */
        void refuse(Refusal refusal);

        /** Commits this as the client's answer. */
        void onCommit();

        /**
         * The body is an event stream, although its head does not say so. {@code begun} has its first bytes; ownership
         * is transferred.
         */
        void onStream(HttpResponse head, ByteBuf begun, @Nullable Inflation inflation);
    }

    /** Whether it is the client's answer, so that no other can be. */
    boolean committed();

    /**
     * Decides from the first bytes whether the body has another kind than its head says. Then another answer replaces
     * this one.
     */
    void learnKind();

    /** Takes a part of the body; ownership is transferred. */
    void onBody(ByteBuf content);

    /** One read of the upstream has been delivered. */
    void onReadComplete();

    /** Whether a body that has ended by its framing is incomplete, because its compressed data has no end. */
    boolean isCut();

    /** The body has ended by its framing. The connection must still be released. */
    void onBodyEnd();

    /**
     * The connection broke.
     *
     * @return false if this is an ordinary failure, of which the client has no part
     */
    boolean onBroken(Breakage breakage);

    /** The phase of the answer, for time limits. */
    Deadlines.Phase phase();

    /** Whether limits on the upstream's silence apply. */
    boolean isLimited();

    /**
     * A limit on the upstream's silence has passed.
     *
     * @return false if this is an ordinary failure, of which the client has no part
     */
    boolean expire(Ending ending);

    /** Checks the time limits of this answer. */
    void onSweep(long nowNs);

    /** Gives this answer to the client, although it is an error. */
    void give();

    /** The bytes that this holds in {@code pool}. */
    long held(Held.Pool pool);

    /** Releases everything that is held. */
    void release();
}
