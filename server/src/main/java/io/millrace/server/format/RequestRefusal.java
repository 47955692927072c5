package io.millrace.server.format;

/** Says why a request in a format of the relay's own is wrong. It has no stack trace. */
public final class RequestRefusal extends Exception {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String code;
    private final String field;

    public RequestRefusal(int status, String code, String field, String message) {
        super(message, null, false, false);
        this.status = status;
        this.code = code;
        this.field = field;
    }

    /** A field that is wrong. */
    public static RequestRefusal of(String field, String message) {
        return new RequestRefusal(400, "invalid_request", field, message);
    }

    /** The response's status. */
    public int status() {
        return status;
    }

    /** A word for programs. */
    public String code() {
        return code;
    }

    /** The field at fault, null if it is none. */
    public String field() {
        return field;
    }
}
