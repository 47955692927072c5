package io.millrace.server.format;

import io.millrace.server.http.Refusal;
import org.jspecify.annotations.Nullable;

/** Says why a request in a format of the relay's own is wrong. It has no stack trace. */
public final class RequestRefusal extends Exception {
    private static final long serialVersionUID = 1;

    private final transient Refusal refusal;

    public RequestRefusal(Refusal refusal) {
        super(refusal.message(), null, false, false);
        this.refusal = refusal;
    }

    /** A refusal because of a field; null if no field is the reason. */
    public static RequestRefusal of(@Nullable String field, String message) {
        return new RequestRefusal(new Refusal(400, "invalid_request", message, field, null));
    }

    /** The response to the client. */
    public Refusal refusal() {
        return refusal;
    }
}
