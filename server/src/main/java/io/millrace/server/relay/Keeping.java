package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.access.Caller;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route;
import io.millrace.server.http.Prefer;
import io.millrace.server.http.Refusal;
import io.millrace.server.replay.OnceKey;
import io.millrace.server.replay.StreamNames;
import io.millrace.server.share.LoopShare;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a request wants of a route that keeps its answers, beside the answer: to be served once however often it is sent
 * ({@code Idempotency-Key}), and that its client need not wait ({@code Prefer: respond-async}).
 *
 * @param once the request's name; null if it has none
 * @param owner for a request with a name, a value that only the same client has again
 * @param async whether the client reads the answer elsewhere
 * @param refusal what is wrong with the name; null if nothing is
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
record Keeping(
        @Nullable OnceKey once,
        byte[] owner,
        boolean async,
        @Nullable Refusal refusal) {
    private static final byte[] NOBODY = new byte[0];
    private static final Keeping NOTHING = new Keeping(null, NOBODY, false, null);
    private static final String FIELD = "Idempotency-Key";
    private static final String NOT_VALID =
            "An Idempotency-Key has 16 to 255 visible ASCII characters, and is there once.";
    private static final Refusal INVALID = new Refusal(400, "invalid_idempotency_key", NOT_VALID, FIELD, null);
    private static final String OF_ANOTHER = "The Idempotency-Key is that of a request with another body or query.";
    private static final Refusal REUSED = new Refusal(422, "idempotency_key_reused", OF_ANOTHER, FIELD, null);

    /**
     * Whether the request may go to an upstream.
     *
     * @param refusal why it may not, as the answer to the client; null otherwise
     * @param first the stream of an earlier request of the same name, which answers this one too; null if there is none
     */
    record Claim(@Nullable Refusal refusal, @Nullable KeptStream first) {
        /** Whether the request is answered otherwise. */
        boolean isTaken() {
            return refusal != null || first != null;
        }
    }

    /** Whether {@code route} does something for a request with these fields, which must then be here as a whole. */
    static boolean isAsked(HttpHeaders headers, Route route) {
        return route.disconnect().detaches() && (OnceKey.isIn(headers) || Prefer.respondAsync(headers));
    }

    /** What a request wants that is here as a whole. One for no stream gets none of it: its answer is not kept. */
    static Keeping of(ClientRequest request, Route route, Caller caller, Resume resume) {
        HttpHeaders headers = request.headers();
        boolean known = request.client().isOwn() || request.client().dialect() != Dialect.UNKNOWN;
        if (!isAsked(headers, route) || !known || !request.fields().stream()) {
            return NOTHING;
        }
        boolean async =
                Prefer.respondAsync(headers) && !route.disconnect().maxTime().isZero();
        if (!OnceKey.isIn(headers)) {
            return new Keeping(null, NOBODY, async, null);
        }
        if (!OnceKey.isValid(headers)) {
            return new Keeping(null, NOBODY, async, INVALID);
        }
        byte[] owner = caller.owner(headers, request.target(), resume);
        ByteBuf body = request.body().bytes();
        return new Keeping(OnceKey.of(headers, owner, request.target(), body), owner, async, null);
    }

    /** Claims the request's name for its stream. */
    Claim claim(RelayLoop loop, Supplier<String> streamId) {
        StreamNames.Named first = once == null ? null : loop.streams().claim(streamId.get(), once);
        if (first == null || once == null) {
            return new Claim(refusal, null);
        }
        return joined(loop, once, first.stream(), first.content());
    }

    private Claim joined(RelayLoop loop, OnceKey name, String stream, @Nullable String content) {
        boolean same = name.content().equals(content);
        return same ? new Claim(null, KeptStream.of(loop, stream, owner)) : new Claim(REUSED, null);
    }

    /**
     * Claims the name on other nodes too, after {@link #claim} has succeeded here.
     *
     * @param isOver whether nobody needs the name any more when the answer is there
     * @param told not called if it {@code isOver}
     */
    void claimElsewhere(RelayLoop loop, String streamId, BooleanSupplier isOver, Consumer<Claim> told) {
        LoopShare share = loop.streams().share();
        OnceKey name = once;
        if (name == null || share == null) {
            told.accept(new Claim(refusal, null));
            return;
        }
        share.claim(name, streamId, holder -> {
            if (holder == null && isOver.getAsBoolean()) {
                share.free(name, streamId);
                share.delete(streamId);
            } else if (!isOver.getAsBoolean()) {
                told.accept(
                        holder == null
                                ? new Claim(refusal, null)
                                : joined(loop, name, holder.stream(), holder.content()));
            }
        });
    }

    /** Whether the stream goes on, and may be come for, before there is anything of it. */
    boolean holds() {
        return once != null || async;
    }
}
