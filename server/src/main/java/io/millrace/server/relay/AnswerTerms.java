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
 * The terms of an answer, from its request: its dialect, and whether it is a stream or one body.
 *
 * @param requestId the id of the answer
 */
record AnswerTerms(ClientRequest request, String requestId) {
    /** The longest body that is translated on the event loop. */
    static final long MAX_TRANSLATED_ON_LOOP = 1024 * 1024;

    /** The format of the client. */
    ClientSide client() {
        return request.client();
    }

    /** The dialect of the client; unknown for a format of the relay's own. */
    Dialect dialect() {
        return client().dialect();
    }

    /** The dialect to which the request must be translated for {@code upstream}; null if it is passed on unchanged. */
    @Nullable
    Dialect translatedFor(Upstream upstream) {
        if (client().isOwn()) {
            return upstream.mainDialect();
        }
        Dialect other = upstream.translates(client().dialect());
        return other != null && isTranslatable() ? other : null;
    }

    /**
     * Translates between the client and {@code upstream}, whose dialect is {@code dialect}. The supplier may run on any
     * thread. It throws {@link TranslationException} if the request cannot be translated. The request's body must be
     * kept until then.
     */
    Supplier<Interpreter> interpreter(Upstream upstream, Dialect dialect, Route.Target place, TranslationMode mode) {
        return request.interpreter(
                new ClientSide.Asked(dialect, place.rewriteModel(), upstream.model(), mode == TranslationMode.STRICT));
    }

    /**
     * Whether the client asked for one body, as far as its request was read, and a stream can be collected into one.
     */
    boolean wantsWhole() {
        return hasKind() && !request.fields().stream();
    }

    /** Whether the client asked for an event stream, and one body can be converted to one. */
    boolean wantsStream() {
        boolean asked =
                client().dialect() != Dialect.GEMINI || request.target().query().contains("alt=sse");
        return hasKind() && request.fields().stream() && asked;
    }

    /** Whether the request asks for an answer in a known dialect. */
    boolean isForAnswer() {
        return client().isOwn() || isTranslatable();
    }

    /**
     * Converts a stream of the client's dialect to one body, or one body to a stream, for a client that asked for the
     * other.
     */
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
            // Without the request, its terms are not known: usage in a frame of its own, and little more.
        }
        return Interpreter.ofKind(client().dialect());
    }

    /** Whether answers can be converted: the request was read and asks for one choice. */
    private boolean hasKind() {
        RequestFields fields = request.fields();
        boolean read = fields.isRead() && fields.choices() == 1;
        return read && !client().isOwn() && isTranslatable();
    }

    private boolean isTranslatable() {
        return client().translates(request.method(), request.target().path());
    }
}
