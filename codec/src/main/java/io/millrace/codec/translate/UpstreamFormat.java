package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import java.util.Set;

/** The requests and answers of one dialect's upstreams. It holds no state of an exchange. */
public interface UpstreamFormat {
    /** The format of a dialect's upstreams. {@link Dialect#UNKNOWN} has none. */
    static UpstreamFormat of(Dialect dialect) {
        return switch (dialect) {
            case CHAT -> ChatUpstream.INSTANCE;
            case MESSAGES -> MessagesUpstream.INSTANCE;
            case RESPONSES -> ResponsesUpstream.INSTANCE;
            case GEMINI -> GeminiUpstream.INSTANCE;
            case UNKNOWN ->
                throw new IllegalArgumentException("dialect: " + dialect + " (expected: one that is translated)");
        };
    }

    /**
     * Writes a request.
     *
     * @throws TranslationException if this dialect cannot express a {@linkplain TranslationException#field() field}
     */
    TranslatedRequest request(ModelRequest request);

    /** A reader for one stream or answer. */
    DeltaReader reader();

    /**
     * A reader for one stream or answer.
     *
     * @param tools the names of the tools that the request offers
     */
    default DeltaReader reader(Set<String> tools) {
        return reader();
    }

    /** The error in the body of an answer with an error status. No body makes this throw. */
    default ModelError error(int status, byte[] body) {
        return UpstreamErrors.ofBody(status, body);
    }
}
