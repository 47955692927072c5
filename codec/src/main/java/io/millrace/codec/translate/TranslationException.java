package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/** Says that a request cannot be translated, and which field is the reason. It has no stack trace. */
public final class TranslationException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String message;
    private final @Nullable String param;
    private final @Nullable RequestField field;

    /**
     * An exception with the client's field.
     *
     * @param param such as {@code messages[2].content[0].type}; null if the whole body is the reason
     */
    public TranslationException(@Nullable String param, String message) {
        this(param, null, message);
    }

    /** An exception with a field of {@link ModelRequest}, for code that does not know the client's dialect. */
    public TranslationException(RequestField field, String message) {
        this(null, field, message);
    }

    private TranslationException(@Nullable String param, @Nullable RequestField field, String message) {
        super(message, null, false, false);
        this.message = message;
        this.param = param;
        this.field = field;
    }

    @Override
    public String getMessage() {
        return message;
    }

    /** The client's field; null if the whole body is the reason, or only {@link #field} is known. */
    public @Nullable String param() {
        return param;
    }

    /** The field of {@link ModelRequest}, null if {@link #param} is known. */
    public @Nullable RequestField field() {
        return field;
    }
}
