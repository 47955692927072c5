package io.millrace.codec.translate;

/** Says that a request cannot be translated, and which field is why. It has no stack trace. */
public final class TranslationException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String param;
    private final RequestField field;

    /**
     * Names the client's field.
     *
     * @param param such as {@code messages[2].content[0].type}; null if the whole body is at fault
     */
    public TranslationException(String param, String message) {
        this(param, null, message);
    }

    /** Names the field as the model knows it, for who does not know the client's dialect. */
    public TranslationException(RequestField field, String message) {
        this(null, field, message);
    }

    private TranslationException(String param, RequestField field, String message) {
        super(message, null, false, false);
        this.param = param;
        this.field = field;
    }

    /** The client's field, null if the whole body is at fault, or only {@link #field} is known. */
    public String param() {
        return param;
    }

    /** The field as the model knows it, null where {@link #param} says more. */
    public RequestField field() {
        return field;
    }
}
