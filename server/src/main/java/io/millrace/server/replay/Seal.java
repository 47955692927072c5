package io.millrace.server.replay;

/** How a log ended. */
public enum Seal {
    /** The body has its end. */
    CLEAN("clean"),
    /** The body has its end, and its last frame is an error event of the relay's own. */
    FAILED("clean"),
    /** The body ends inside a frame, or in a format that has no errors: only a reset can tell that. */
    BROKEN("broken");

    private final String label;

    Seal(String label) {
        this.label = label;
    }

    /** What a client is told of it. */
    public String label() {
        return label;
    }
}
