package io.millrace.bench.stream;

/**
 * How a client behaves in one stream.
 *
 * @param kind what it does
 * @param afterOutputs how many output frames it takes before it does it; -1 where it goes by {@code afterNs}
 * @param afterNs how long after its request was sent it does it
 */
public record Behaviour(Kind kind, int afterOutputs, long afterNs) {
    /** Reads to the end, as fast as it can. */
    public static final Behaviour PLAIN = new Behaviour(Kind.PLAIN, 0, 0);

    /** Reads to the end, a few hundred bytes at a time. */
    public static final Behaviour SLOW = new Behaviour(Kind.SLOW, 0, 0);

    /** What a client does. */
    public enum Kind {
        PLAIN,
        SLOW,
        CANCEL,
        HALF_OPEN
    }

    /** Whether it does nothing special. */
    public boolean isPlain() {
        return kind == Kind.PLAIN;
    }
}
