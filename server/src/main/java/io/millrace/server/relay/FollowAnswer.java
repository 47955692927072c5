package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.http.Refusal;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What a request to read a stream is answered, from what is kept of the stream at one moment.
 *
 * @param head that of the stream; null if there is none
 * @param refusal null if the stream is read, or has nothing more
 * @param from the offset of the first byte that the client gets
 * @param nothingLeft whether the stream is whole and the client has it
 * @param oldest the offset of the first byte that is kept
 * @param tail the offset behind the last byte
 * @param state {@code live}, or how the stream ended
 * @param lostAt the offset of the event that says that the stream's node is gone; -1 if there is none
 */
record FollowAnswer(
        @Nullable LogHead head,
        @Nullable Refusal refusal,
        long from,
        boolean nothingLeft,
        long oldest,
        long tail,
        String state,
        long lostAt) {
    /** There is no such stream, or not for this key: nothing tells which. */
    static final FollowAnswer NOT_FOUND = refused(
            Refusal.of(404, "stream_not_found", "There is no such stream that can be read, or not with this key."));

    /** The request of this name that came first failed before its answer. */
    private static final FollowAnswer FIRST_FAILED = refused(new Refusal(
            409,
            "idempotency_conflict",
            "The first request with this Idempotency-Key has just failed. Send it again.",
            null,
            "1"));

    /** The stream is one of another node, and the store does not answer. */
    static final FollowAnswer UNAVAILABLE = refused(new Refusal(
            503,
            "resume_unavailable",
            "The streams of other nodes cannot be read at the moment. Try again.",
            null,
            "1"));

    private static final Refusal NOT_NUMBERED =
            Refusal.of(400, "bad_offset", "Only streams of the Responses API go on by starting_after.");
    private static final Refusal GONE = Refusal.of(410, "stream_gone", "These bytes of the stream are gone.");
    private static final Refusal AHEAD = Refusal.of(416, "offset_ahead", "The stream has not so many bytes.");
    private static final Refusal NO_NUMBER =
            Refusal.of(400, "bad_offset", "The offset is no number, or there are two that disagree.");
    private static final Refusal IN_FRAME =
            Refusal.of(400, "offset_in_frame", "With ids, the offset must be 0 or the end of an event.");
    private static final Refusal TOO_MANY =
            new Refusal(429, "too_many_readers", "The stream has all the readers that it may have.", null, "5");

    /** An answer about no stream. */
    static FollowAnswer refused(Refusal refusal) {
        return new FollowAnswer(null, refusal, 0, false, 0, 0, "", -1);
    }

    /** The answer to {@code query} about {@code kept}; null is no stream, or not one for the client. */
    static FollowAnswer of(@Nullable Kept kept, FollowQuery query) {
        if (kept == null) {
            return query.kind() == FollowQuery.Kind.REPLAY ? FIRST_FAILED : NOT_FOUND;
        }
        StreamLog log = kept.log();
        Seal seal = log.seal();
        boolean ended = seal != null && seal != Seal.BROKEN && !kept.head().isFailure();
        boolean whole = ended && query.offset() == log.tail();
        Refusal refusal = refusal(kept, query);
        String state = seal == null ? "live" : seal.label();
        return new FollowAnswer(
                kept.head(),
                refusal,
                query.offset(),
                refusal == null && whole,
                log.oldest(),
                log.tail(),
                state,
                log.lostAt());
    }

    /**
     * Whether the client has more of the stream than this node knows. The stream is one of another node, which may have
     * it; the client must wait.
     */
    static boolean isAhead(Kept kept, FollowQuery query) {
        StreamLog log = kept.log();
        return kept.isRemote() && log.seal() == null && !log.isClosed() && query.offset() > log.tail();
    }

    /**
     * The offset in the log of the first byte that the client gets. One that has more of a lost stream than is known gets the
     * event that says so.
     */
    long begin() {
        return lostAt < 0 ? from : Math.min(from, lostAt);
    }

    private static @Nullable Refusal refusal(Kept kept, FollowQuery query) {
        StreamLog log = kept.log();
        long from = query.offset();
        if (query.headOnly()) {
            return log.isClosed() ? GONE : null;
        }
        if (from == FollowQuery.INVALID) {
            return NO_NUMBER;
        }
        if (query.isNumbered() && kept.head().dialect() != Dialect.RESPONSES) {
            return NOT_NUMBERED;
        }
        boolean nothingButABreak = log.seal() == Seal.BROKEN && from == log.tail();
        if (log.isClosed() || from < log.oldest() || nothingButABreak) {
            return GONE;
        }
        boolean known = from <= log.tail();
        if (!known && log.lostAt() < 0 && !isAhead(kept, query)) {
            return AHEAD;
        }
        if (known && query.ids() && kept.head().hasFrames() && !log.isBetweenFrames(from)) {
            return IN_FRAME;
        }
        boolean full = log.seal() == null && log.readers() >= kept.settings().readers();
        // Those that an earlier request of their name answers are bounded as requests are.
        return full && query.kind() != FollowQuery.Kind.REPLAY ? TOO_MANY : null;
    }

    /** Whether the bytes are gone. */
    @SuppressWarnings("ReferenceEquality") // one constant
    boolean isGone() {
        return refusal == GONE;
    }

    /** Whether the stream has all the readers that it may have. */
    @SuppressWarnings("ReferenceEquality") // one constant
    boolean isFull() {
        return refusal == TOO_MANY;
    }

    /** The name of the answer in the metrics: {@code read}, {@code whole}, or the code of the refusal. */
    String result() {
        return refusal != null ? refusal.code() : nothingLeft ? "whole" : "read";
    }

    /** The body of a refusal, in the shape of the stream's dialect if there is a stream. */
    byte[] refusalBody() {
        if (refusal == null) {
            throw new IllegalStateException("not refused");
        }
        Dialect dialect = head == null || head.dialect() == Dialect.UNKNOWN ? Dialect.CHAT : head.dialect();
        byte[] json = dialect.errorBody(refusal.status(), refusal.code(), refusal.message(), null, null);
        if (head == null) {
            return json;
        }
        String places = "\"oldest\":" + oldest + ",\"newest\":" + tail + ",\"state\":\"" + state + "\",";
        String text = new String(json, StandardCharsets.UTF_8);
        return text.replaceFirst("\"error\":\\s*\\{", "$0" + places).getBytes(StandardCharsets.UTF_8);
    }
}
