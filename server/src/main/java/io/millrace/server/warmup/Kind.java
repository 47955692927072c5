package io.millrace.server.warmup;

/** The kinds of streams in the warm-up. */
enum Kind {
    /** The whole stream in one write. */
    SHORT("tokens=3"),
    /** One frame per write. */
    PACED("tokens=40"),
    /** Many frames per read. */
    BURST("tokens=1500"),
    /** After a pause, during which a client may close. */
    LATE("tokens=3");

    /** The spec for the mock. */
    final String spec;

    Kind(String spec) {
        this.spec = spec;
    }
}
