package io.millrace.codec.dialect;

/** The reason for which a relay ended a stream that its upstream did not end. */
public enum RelayError {
    /** The upstream ended its body cleanly before the dialect's terminal. */
    UPSTREAM_TRUNCATED("upstream_truncated"),
    /** The upstream's connection broke. */
    UPSTREAM_RESET("upstream_reset"),
    /** The upstream sent no byte for the idle limit. */
    UPSTREAM_IDLE("upstream_idle"),
    /** The upstream sent no output for the progress limit. */
    UPSTREAM_NO_OUTPUT("upstream_no_output"),
    /** The upstream sent an error in a form that the dialect's SDKs do not recognise. */
    UPSTREAM_ERROR("upstream_error"),
    /** The relay itself is going away. */
    RELAY_DRAINING("relay_draining"),
    /** Nobody read the stream for longer than its route allows. */
    RELAY_UNREAD("relay_unread"),
    /** Who runs the relay has stopped the request. */
    RELAY_STOPPED("relay_stopped"),
    /** The node of the relay that had the stream is gone. */
    RELAY_LOST("relay_lost"),
    /** The client may not use the relay any more. */
    KEY_REVOKED("key_revoked");

    private final String code;

    RelayError(String code) {
        this.code = code;
    }

    /** The code that clients get. */
    public String code() {
        return code;
    }
}
