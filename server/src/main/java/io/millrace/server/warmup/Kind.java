package io.millrace.server.warmup;

/** How a stream of the warm-up comes. */
enum Kind {
    /** All in one write. */
    SHORT("tokens=3"),
    /** Frame by frame. */
    PACED("tokens=40"),
    /** Many frames in each read. */
    BURST("tokens=1500"),
    /** After a pause, in which a client may leave. */
    LATE("tokens=3");

    /** What the mock is asked for. */
    final String spec;

    Kind(String spec) {
        this.spec = spec;
    }
}
