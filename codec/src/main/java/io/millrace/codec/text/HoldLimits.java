package io.millrace.codec.text;

/**
 * How much text waits for the end of its unit, and for how long.
 *
 * @param maxChars UTF-16 units. When this many are held, text is delivered up to the last line (Markdown), else the
 *     last word, else the last grapheme cluster. A single cluster may exceed the limit, up to 256 units
 * @param maxNs nanoseconds since the last unit, or since the first text after it
 */
public record HoldLimits(int maxChars, long maxNs) {
    /** No limits. */
    public static final HoldLimits NONE = new HoldLimits(Integer.MAX_VALUE, Long.MAX_VALUE);

    /** Checks that both limits are positive. */
    public HoldLimits {
        if (maxChars <= 0) {
            throw new IllegalArgumentException("maxChars: " + maxChars + " (expected: > 0)");
        }
        if (maxNs <= 0) {
            throw new IllegalArgumentException("maxNs: " + maxNs + " (expected: > 0)");
        }
    }
}
