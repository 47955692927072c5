package io.millrace.server.replay;

/** How a log ended. */
public enum Seal {
    /** The body is complete. */
    CLEAN("clean"),
    /** The body is complete, and its last frame is an error event of the relay. */
    FAILED("clean"),
    /** The body ends inside a frame, or its format has no error events. Only a reset can tell this to a client. */
    BROKEN("broken"),
    /** The node that wrote the stream is gone. The last frame is an error event that says so. */
    LOST("lost");

    private final String label;

    Seal(String label) {
        this.label = label;
    }

    /** Whether the last frame is an error event of the relay. */
    public boolean isFailure() {
        return this == FAILED || this == LOST;
    }

    /** The word that clients get. */
    public String label() {
        return label;
    }
}
