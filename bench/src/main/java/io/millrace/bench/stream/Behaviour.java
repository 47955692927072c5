package io.millrace.bench.stream;

/**
 * How a client behaves in one stream.
 *
 * @param kind the behaviour
 * @param afterOutputs how many output frames the client reads before that; -1 if {@code afterNs} decides
 * @param afterNs the time between the request and that
 */
public record Behaviour(Kind kind, int afterOutputs, long afterNs) {
    /** The client reads to the end, as fast as it can. */
    public static final Behaviour PLAIN = new Behaviour(Kind.PLAIN, 0, 0);

    /** The client reads to the end, a few hundred bytes at a time. */
    public static final Behaviour SLOW = new Behaviour(Kind.SLOW, 0, 0);

    /** What a client does. */
    public enum Kind {
        PLAIN,
        SLOW,
        CANCEL,
        HALF_OPEN
    }

    /** Whether the client does nothing special. */
    public boolean isPlain() {
        return kind == Kind.PLAIN;
    }
}
