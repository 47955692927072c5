package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.translate.TranslatedRequest;
import io.millrace.server.config.Upstream;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.format.Interpreter;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.Itinerary.Place;
import io.millrace.server.upstream.CallListener;
import io.millrace.server.upstream.UpstreamCall;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The way of a client's request to one upstream: when it leaves, in which dialect, and how much of it the upstream may
 * have. Confined to its event loop.
 */
final class RequestSender {
    /** The heap that the translation of a body takes at most, in bodies: what is read, what is made of it, what is written. */
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

    /** What an upstream may have of a request. */
    enum Sent {
        NOTHING,
        PART,
        WHOLE
    }

    /** Gets the response, and is told what keeps the request from being sent. */
    interface Owner extends CallListener {
        /** The connection was closed while it waited for the request: a new one is needed. */
        void onConnectionLost();

        /** The request cannot be sent; the upstream has no part in that. */
        void onUnsendable(Failure failure);
    }

    /**
     * A request that waits for a connection.
     *
     * @param translatedTo what the upstream is spoken to in; null sends the request as it came
     */
    RequestSender(AttemptContext context, Place place, @Nullable Dialect translatedTo, Owner owner) {
        this.context = context;
        this.place = place;
        this.translatedTo = translatedTo;
        this.owner = owner;
        request = context.terms().request();
        downstream = context.downstream();
    }

    /** The connection, or null if there is none, or none any more. */
    @Nullable
    UpstreamCall call() {
        return call;
    }

    /** Hands the connection over to the caller; null if there is none. */
    @Nullable
    UpstreamCall takeCall() {
        UpstreamCall taken = call;
        call = null;
        return taken;
    }

    /** The response is complete: the connection may serve another request. */
    void releaseCall() {
        if (call != null) {
            call.release(0);
        }
    }

    /** What stands between client and upstream; null if the request was sent as it came, or was not yet sent. */
    @Nullable
    Interpreter interpreter() {
        return interpreter;
    }

    /** The upstream answers: its request is not sent again. */
    void forgetRequest() {
        if (interpreter != null) {
            interpreter.forgetRequest();
        }
    }

    /** The names of what was left out of the client's request, null if nothing was. */
    @Nullable
    String dropped() {
        return interpreter == null ? null : interpreter.dropped();
    }

    /** Whether the request is on its way, so that the body follows it as it comes. */
    boolean isSending() {
        return headSent;
    }

    /** Whether its connection may yet turn out to have been dead already. */
    boolean mayBeStale() {
        return call != null && call.mayBeStale();
    }

    /** Whether a long request is being translated. */
    boolean isTranslating() {
        return translation != null && interpreter == null;
    }

    /** How much of the request the upstream may have. What was written to a connection that was already dead does not count. */
    Sent sent() {
        if (!headSent) {
            return Sent.NOTHING;
        }
        return handedOver || (call != null && call.requestHandedOver()) ? Sent.WHOLE : Sent.PART;
    }

    /**
     * Whether the request may be sent to another upstream after this one has failed.
     *
     * @param once whether a request that was sent as a whole must not be sent again
     */
    boolean mayBeSentAgain(boolean once) {
        return switch (sent()) {
            case NOTHING -> true;
            case PART -> request.isRepeatable();
            case WHOLE -> request.isRepeatable() && !once;
        };
    }

    /** Whether the client's request is not read since {@code limitNs}, because the upstream takes no more of it. */
    boolean isStalled(long nowNs, long limitNs) {
        return fullNs != 0 && nowNs - fullNs > limitNs;
    }

    /** There is a connection. */
    void onCall(UpstreamCall given) {
        call = given;
        // What the same read still brings is mostly the rest of the request, which then leaves in one piece.
        if (request.complete() || (!context.needsWholeBody() && !downstream.inRead())) {
            send(given);
        }
    }

    /** The connection is gone. */
    void onBroken() {
        handedOver = call != null && call.requestHandedOver();
        call = null;
    }

    /** Nothing of the request counts as sent: the connection was dead before. */
    void beginAgain() {
        headSent = false;
        handedOver = false;
        readRequestAgain();
    }

    /** Sends a part of the request's body on; ownership is transferred. */
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

    /** The client's request is read again, if it was not. */
    void readRequestAgain() {
        if (fullNs != 0) {
            fullNs = 0;
            downstream.readRequest(true);
        }
    }

    /** All that one read of the client brought is here. */
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

    /** Nothing is sent any more that is not sent yet. */
    void cancel() {
        closed = true;
        if (translation != null && translation.cancel()) {
            endTranslation();
        }
    }

    private void send(UpstreamCall to) {
        if (!to.isActive()) {
            // It was held for a body that took longer than the upstream keeps idle connections.
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
            to.sendWhole(head, Unpooled.wrappedBuffer(translated.body()), owner);
        } else if (request.complete()) {
            ByteBuf whole = request.bodyFor(context.route(), place.target());
            try {
                var head = request.forUpstream(place.target(), upstream, dialect, whole.readableBytes());
                to.sendWhole(head, whole, owner);
            } finally {
                whole.release();
            }
        } else {
            to.send(request.forUpstream(place.target(), upstream, dialect, -1), owner);
            request.body().copyTo(to::sendBody);
            to.flush();
        }
    }

    /** Makes the request that the upstream understands; false if it is not there yet, or if there is none. */
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

    /** The connection may be a new one that is not there yet, if the upstream has closed the first in the meantime. */
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
