package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.translate.TranslationException;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.TranslationMode;
import io.millrace.server.config.Upstream;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.Interpreter;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a client's request says of its answer: what it must be spoken in, and whether it is a stream or one body.
 *
 * @param requestId that of the answer
 */
record AnswerTerms(ClientRequest request, String requestId) {
    /** A longer body is not translated on the event loop. */
    static final long MAX_TRANSLATED_ON_LOOP = 1024 * 1024;

    /** What the client speaks. */
    ClientSide client() {
        return request.client();
    }

    /** The client's, by which it is answered; unknown for a format of the relay's own. */
    Dialect dialect() {
        return client().dialect();
    }

    /** What {@code upstream} must be spoken to in, or null if it gets the request as it came. */
    @Nullable
    Dialect translatedFor(Upstream upstream) {
        if (client().isOwn()) {
            return upstream.mainDialect();
        }
        Dialect other = upstream.translates(client().dialect());
        return other != null && isTranslatable() ? other : null;
    }

    /**
     * Makes, on any thread, what stands between the client and {@code upstream}, which is spoken to in {@code dialect}. Throws
     * {@link TranslationException} if the request cannot be had in it. The request's body must be kept until then.
     */
    Supplier<Interpreter> interpreter(Upstream upstream, Dialect dialect, Route.Target place, TranslationMode mode) {
        return request.interpreter(
                new ClientSide.Asked(dialect, place.rewriteModel(), upstream.model(), mode == TranslationMode.STRICT));
    }

    /** Whether the client asked for one body, as far as its request was read, and a stream can be made one. */
    boolean wantsWhole() {
        return hasKind() && !request.fields().stream();
    }

    /** Whether the client asked for an event stream, and one body can be made one. */
    boolean wantsStream() {
        boolean asked =
                client().dialect() != Dialect.GEMINI || request.target().query().contains("alt=sse");
        return hasKind() && request.fields().stream() && asked;
    }

    /** Whether the request asks for an answer in a dialect that is known. */
    boolean isForAnswer() {
        return client().isOwn() || isTranslatable();
    }

    /** What makes a client's stream or body of an upstream's of the same dialect, where the other was asked for. */
    Interpreter kindChanger(Upstream upstream, Route.Target place) {
        RequestBody body = request.body();
        try {
            if (body.isKept() && request.complete() && body.received() <= MAX_TRANSLATED_ON_LOOP) {
                Interpreter made = interpreter(upstream, client().dialect(), place, TranslationMode.LENIENT)
                        .get();
                made.forgetRequest();
                return made;
            }
        } catch (RuntimeException | StackOverflowError e) {
            // What the request says of its answer is then not known: usage in a frame of its own, and little more.
        }
        return Interpreter.ofKind(client().dialect());
    }

    /** Whether answers can be rebuilt: such as have one choice, of a request that was read. */
    private boolean hasKind() {
        RequestFields fields = request.fields();
        boolean read = fields.isRead() && fields.choices() == 1;
        return read && !client().isOwn() && isTranslatable();
    }

    private boolean isTranslatable() {
        return client().translates(request.method(), request.target().path());
    }
}
