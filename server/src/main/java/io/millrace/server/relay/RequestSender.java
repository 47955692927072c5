package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.translate.TranslatedRequest;
import io.millrace.server.config.Upstream;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.format.Interpreter;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.Itinerary.Place;
import io.millrace.server.telemetry.Correlation;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Trace;
import io.millrace.server.upstream.CallListener;
import io.millrace.server.upstream.UpstreamCall;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends a client's request to one upstream. It decides when and in which dialect, and tracks how much of it the
 * upstream may have. Confined to its event loop.
 */
final class RequestSender {
    /** The heap for the translation of a body, as a multiple of the body: its input, its model and its output. */
    private static final long TRANSLATION_FACTOR = 3;

    private final AttemptContext context;
    private final ClientRequest request;
    private final ClientStream downstream;
    private final Place place;
    private final @Nullable Dialect translatedTo;
    private final Owner owner;

    private @Nullable UpstreamCall call;
    private @Nullable Interpreter interpreter;
    private @Nullable LongTranslation translation;
    private long translating;
    private boolean headSent;
    private boolean handedOver;
    private boolean closed;
    private long fullNs;
    private @Nullable String requestId;
    private final Trace.@Nullable Attempt traced;

    /** The part of a request that an upstream may have. */
    enum Sent {
        NOTHING,
        PART,
        WHOLE
    }

    /** Receives the response, and failures to send the request. */
    interface Owner extends CallListener {
        /** The connection was closed before the request was sent. A new one is needed. */
        void onConnectionLost();

        /** The request cannot be sent. This is not the upstream's fault. */
        void onUnsendable(Failure failure);
    }

    /**
     * Creates a request that waits for a connection.
     *
     * @param translatedTo the upstream's dialect; null sends the request unchanged
     */
    RequestSender(AttemptContext context, Place place, @Nullable Dialect translatedTo, Owner owner) {
        this.context = context;
        this.place = place;
        this.translatedTo = translatedTo;
        this.owner = owner;
        request = context.terms().request();
        downstream = context.downstream();
        traced = traced(request.correlation.trace());
    }

    private Trace.@Nullable Attempt traced(@Nullable Trace trace) {
        if (trace == null) {
            return null;
        }
        Upstream upstream = place.destination().upstream();
        Dialect dialect = translatedTo == null ? context.terms().dialect() : translatedTo;
        String renamed = place.target().rewriteModel();
        String model = renamed == null && translatedTo != null ? upstream.model() : renamed;
        String origin = place.endpoint().state().name();
        return trace.attempt(new Trace.Asked(upstream.name(), origin, dialect.label(), model), System.nanoTime());
    }

    /** The connection, or null if there is none. */
    @Nullable
    UpstreamCall call() {
        return call;
    }

    /** Passes the connection to the caller; null if there is none. */
    @Nullable
    UpstreamCall takeCall() {
        UpstreamCall taken = call;
        call = null;
        return taken;
    }

    /** The response is complete. The connection may serve another request. */
    void releaseCall() {
        if (call != null) {
            call.release(0);
        }
    }

    /** The translation between client and upstream; null if the request was sent unchanged, or was not sent yet. */
    @Nullable
    Interpreter interpreter() {
        return interpreter;
    }

    /** The upstream answers with {@code head}. The request is released, because it is not sent again. */
    void onAnswered(HttpResponse head) {
        requestId = Correlation.ofUpstream(head.headers());
        if (interpreter != null) {
            interpreter.forgetRequest();
        }
    }

    /** The summary of the upstream. */
    Summary.Asked summary() {
        return new Summary.Asked(
                place.destination().upstream().name(),
                place.endpoint().state().name(),
                requestId,
                translatedTo,
                interpreter == null ? null : interpreter.dropped(),
                traced);
    }

    /** The attempt has failed, for {@code reason}. */
    void onFailed(String reason, long nowNs) {
        if (traced != null) {
            traced.failed(reason, nowNs);
        }
    }

    /** Whether the request is being sent, so that the body is passed on as it comes. */
    boolean isSending() {
        return headSent;
    }

    /** Whether its connection may still turn out to have been dead already. */
    boolean mayBeStale() {
        return call != null && call.mayBeStale();
    }

    /** Whether a long request is being translated. */
    boolean isTranslating() {
        return translation != null && interpreter == null;
    }

    /**
     * The part of the request that the upstream may have. Bytes that were written to a dead connection do not count.
     */
    Sent sent() {
        if (!headSent) {
            return Sent.NOTHING;
        }
        return handedOver || (call != null && call.requestHandedOver()) ? Sent.WHOLE : Sent.PART;
    }

    /**
     * Whether the request may be sent to another upstream after this one has failed.
     *
     * @param once whether a request that was sent completely must not be sent again
     */
    boolean mayBeSentAgain(boolean once) {
        return switch (sent()) {
            case NOTHING -> true;
            case PART -> request.isRepeatable();
            case WHOLE -> request.isRepeatable() && !once;
        };
    }

    /**
     * Whether the client's request has not been read for longer than {@code limitNs}, because the upstream does not take
     * it.
     */
    boolean isStalled(long nowNs, long limitNs) {
        return fullNs != 0 && nowNs - fullNs > limitNs;
    }

    /** Takes a connection. */
    void onCall(UpstreamCall given) {
        call = given;
        // The same read mostly has the rest of the request, which is then written in one piece.
        if (request.complete() || (!context.needsWholeBody() && !downstream.inRead())) {
            send(given);
        }
    }

    /** The connection is closed. */
    void onBroken() {
        handedOver = call != null && call.requestHandedOver();
        call = null;
    }

    /** Resets the sent bytes, because the connection was dead before. */
    void beginAgain() {
        headSent = false;
        handedOver = false;
        readRequestAgain();
    }

    /** Passes a part of the request's body on; ownership is transferred. */
    void sendBody(ByteBuf content) {
        if (call == null) {
            content.release();
        } else {
            call.sendBody(content);
        }
    }

    /** Stops reading the client's request while the upstream does not take it. */
    void pauseIfFull() {
        if (call == null || call.isWritable()) {
            return;
        }
        call.flush();
        if (!call.isWritable() && fullNs == 0) {
            fullNs = System.nanoTime();
            downstream.readRequest(false);
        }
    }

    /** Resumes reading the client's request, if it was stopped. */
    void readRequestAgain() {
        if (fullNs != 0) {
            fullNs = 0;
            downstream.readRequest(true);
        }
    }

    /** One read of the client has been delivered. */
    void onRequestReadComplete() {
        if (call == null) {
            return;
        }
        if (headSent) {
            call.flush();
        } else if (!context.needsWholeBody()) {
            send(call);
        }
    }

    /** The request is complete. */
    void onRequestEnd() {
        fullNs = 0;
        if (call == null) {
            return;
        }
        if (headSent) {
            call.endRequest();
        } else {
            send(call);
        }
    }

    /** Cancels everything that was not sent yet. The attempt is over. */
    void cancel() {
        closed = true;
        if (translation != null && translation.cancel()) {
            endTranslation();
        }
        if (traced != null) {
            traced.ended(System.nanoTime());
        }
    }

    private void send(UpstreamCall to) {
        if (!to.isActive()) {
            // The connection was held for a body that took longer than the upstream keeps idle connections.
            call = null;
            owner.onConnectionLost();
            return;
        }
        if (translatedTo != null && interpreter == null && !translate(translatedTo)) {
            return;
        }
        headSent = true;
        Upstream upstream = place.endpoint().upstream();
        Dialect dialect = context.terms().dialect();
        TranslatedRequest translated = interpreter == null ? null : interpreter.request();
        if (translatedTo != null && translated != null) {
            var head = request.translated(upstream, translatedTo, translated);
            to.sendWhole(traced(head), Unpooled.wrappedBuffer(translated.body()), owner);
        } else if (request.complete()) {
            ByteBuf whole = request.bodyFor(context.route(), place.target());
            try {
                var head = request.forUpstream(place.target(), upstream, dialect, whole.readableBytes());
                to.sendWhole(traced(head), whole, owner);
            } finally {
                whole.release();
            }
        } else {
            to.send(traced(request.forUpstream(place.target(), upstream, dialect, -1)), owner);
            request.body().copyTo(to::sendBody);
            to.flush();
        }
    }

    /** The head, with the context of the attempt's own span if it has one. */
    private HttpRequest traced(HttpRequest head) {
        if (traced != null) {
            traced.writeTo(head.headers());
        }
        return head;
    }

    /** Translates the request for the upstream. Returns false if the result is not there yet, or there is none. */
    private boolean translate(Dialect dialect) {
        Supplier<Interpreter> making = context.terms()
                .interpreter(
                        place.endpoint().upstream(),
                        dialect,
                        place.target(),
                        context.route().translation());
        if (request.body().received() > AnswerTerms.MAX_TRANSLATED_ON_LOOP) {
            translateAside(making);
            return false;
        }
        try {
            interpreter = making.get();
            return true;
        } catch (RuntimeException | StackOverflowError e) {
            owner.onUnsendable(Failure.untranslatable(e));
            return false;
        }
    }

    private void translateAside(Supplier<Interpreter> making) {
        if (translation != null) {
            return;
        }
        long needed = TRANSLATION_FACTOR * request.body().received();
        if (!context.loop().memory().take(Held.TRANSLATIONS, needed)) {
            owner.onUnsendable(Failure.overloaded());
            return;
        }
        translating = needed;
        translation = new LongTranslation(
                making,
                request.body().bytes().retain(),
                downstream.eventLoop(),
                this::onTranslated,
                this::onUntranslatable);
        if (!translation.start(LongTranslation.SHARED)) {
            endTranslation();
            owner.onUnsendable(Failure.overloaded());
        }
    }

    /**
     * Sends the translated request. If the upstream has closed the first connection in the meantime, the new one may
     * not exist yet.
     */
    private void onTranslated(Interpreter made) {
        endTranslation();
        if (closed) {
            return;
        }
        interpreter = made;
        if (call != null) {
            send(call);
        }
    }

    private void onUntranslatable(Throwable why) {
        endTranslation();
        if (!closed) {
            owner.onUnsendable(Failure.untranslatable(why));
        }
    }

    private void endTranslation() {
        context.loop().memory().add(Held.TRANSLATIONS, -translating);
        translating = 0;
    }
}
