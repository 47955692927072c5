package io.millrace.codec.translate;

/**
 * Token counts of one answer, with the same meaning for every dialect. {@code -1} means not reported.
 *
 * @param input all tokens of the prompt, with those read from and written to a cache
 * @param cacheRead of these, tokens read from a cache
 * @param cacheWrite of these, tokens written to a cache
 * @param output all tokens of the answer, with those of reasoning
 * @param reasoning of these, tokens of reasoning
 */
public record TokenCounts(long input, long cacheRead, long cacheWrite, long output, long reasoning) {
    /** No count was reported. */
    public static final TokenCounts NONE = new TokenCounts(-1, -1, -1, -1, -1);

    /** These counts. Each one that {@code later} reports replaces the one here. */
    public TokenCounts and(TokenCounts later) {
        return new TokenCounts(
                later.input < 0 ? input : later.input,
                later.cacheRead < 0 ? cacheRead : later.cacheRead,
                later.cacheWrite < 0 ? cacheWrite : later.cacheWrite,
                later.output < 0 ? output : later.output,
                later.reasoning < 0 ? reasoning : later.reasoning);
    }

    /** Whether any count was reported. */
    public boolean isKnown() {
        return !equals(NONE);
    }
}
