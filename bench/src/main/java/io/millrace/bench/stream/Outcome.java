package io.millrace.bench.stream;

import java.util.Locale;

/** How a stream ended. */
public enum Outcome {
    /** It came to the end that its dialect defines. */
    COMPLETED,
    /** This client left it, as it was told to. */
    LEFT,
    /** No connection: refused, unreachable, or not in time. */
    CONNECT,
    /** No TLS handshake. */
    TLS,
    /** Another status than 200. */
    STATUS,
    /** 200, but no event stream. */
    NOT_A_STREAM,
    /** 200, but compressed, which was not asked for and is not read. */
    CODED,
    /** What came was not HTTP. */
    GARBLED,
    /** Closed or reset before the answer's head. */
    NO_ANSWER,
    /** The connection broke inside the body. */
    RESET,
    /** The body ended, in form, before the answer's end. */
    TRUNCATED,
    /** An error event. */
    ERROR_EVENT,
    /** An error in a form that the dialect's SDKs do not see. */
    HIDDEN_ERROR,
    /** Whole, but not the bytes that the mock sent. */
    DAMAGED,
    /** Silent for longer than allowed. */
    IDLE,
    /** Took longer than allowed in all. */
    TIMEOUT,
    /** Still going when the run was over. */
    UNFINISHED;

    /** The word for it in reports. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether it counts as an error. */
    public boolean isError() {
        return this != COMPLETED && this != LEFT;
    }
}
