package io.millrace.bench.stream;

import java.util.Locale;

/** How a stream ended. */
public enum Outcome {
    /** The answer completed, as its dialect defines it. */
    COMPLETED,
    /** This client left the stream on purpose. */
    LEFT,
    /** No connection: refused, unreachable, or a timeout. */
    CONNECT,
    /** The TLS handshake failed. */
    TLS,
    /** A status other than 200. */
    STATUS,
    /** Status 200, but no event stream. */
    NOT_A_STREAM,
    /** Status 200, but compressed. This client does not ask for compression and cannot read it. */
    CODED,
    /** The response was not HTTP. */
    GARBLED,
    /** The connection was closed or reset before the response head. */
    NO_ANSWER,
    /** The connection broke inside the body. */
    RESET,
    /** The body ended by its framing before the end of the answer. */
    TRUNCATED,
    /** An error event. */
    ERROR_EVENT,
    /** An error in a form that the dialect's SDKs do not recognise. */
    HIDDEN_ERROR,
    /** Complete, but the bytes differ from those that the mock sent. */
    DAMAGED,
    /** No byte for longer than allowed. */
    IDLE,
    /** The stream took longer than allowed. */
    TIMEOUT,
    /** The stream was in progress when the run ended. */
    UNFINISHED,
    /** The stream was in progress when the user stopped the run. */
    INTERRUPTED;

    /** Its name in reports. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether it counts as an error. */
    public boolean isError() {
        return this != COMPLETED && this != LEFT && this != INTERRUPTED;
    }
}
