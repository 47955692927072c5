package io.millrace.server.replay;

/** How a log ended. */
public enum Seal {
    /** The body has its end, which may be an error event. */
    CLEAN,
    /** The body ends inside a frame, or in a format that has no errors: only a reset can tell that. */
    BROKEN,
    /** Who wrote it has died. */
    LOST
}
