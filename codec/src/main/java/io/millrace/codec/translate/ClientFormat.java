package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import org.jspecify.annotations.Nullable;

/** The requests and answers of one dialect's clients. It has no state of an exchange. */
public interface ClientFormat {
    /** The format of a dialect's clients. {@link Dialect#UNKNOWN} has none. */
    static ClientFormat of(Dialect dialect) {
        return DialectClient.of(dialect);
    }

    /**
     * Reads a request.
     *
     * @param path the request's path, with its query; Gemini has the model there
     * @throws TranslationException if a field cannot be read or has no meaning in the model
     */
    ModelRequest request(byte[] body, String path);

    /** Creates a writer for the stream that answers this request. */
    DeltaWriter stream(ModelRequest request);

    /** Creates a writer for the whole answer to this request. */
    AnswerWriter answer(ModelRequest request);

    /**
     * The body of an error.
     *
     * @param param the request's field at fault, may be null
     * @param requestId the request's id, may be null
     */
    byte[] error(ModelError error, @Nullable String param, @Nullable String requestId);

    /** The client's name of this field. */
    String fieldName(RequestField field);
}
