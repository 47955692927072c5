package io.millrace.codec.translate;

/**
 * Token counts of one answer, so that they mean the same for every dialect. {@code -1} means not told.
 *
 * @param input all tokens of the prompt, those read from and written to a cache included
 * @param cacheRead of these, tokens read from a cache
 * @param cacheWrite of these, tokens written to a cache
 * @param output all tokens of the answer, reasoning included
 * @param reasoning of these, tokens of reasoning
 */
public record TokenCounts(long input, long cacheRead, long cacheWrite, long output, long reasoning) {
    /** Nothing was told. */
    public static final TokenCounts NONE = new TokenCounts(-1, -1, -1, -1, -1);

    /** These counts, each replaced by that of {@code later} which is told there. */
    public TokenCounts and(TokenCounts later) {
        return new TokenCounts(
                later.input < 0 ? input : later.input,
                later.cacheRead < 0 ? cacheRead : later.cacheRead,
                later.cacheWrite < 0 ? cacheWrite : later.cacheWrite,
                later.output < 0 ? output : later.output,
                later.reasoning < 0 ? reasoning : later.reasoning);
    }

    /** Whether anything was told. */
    public boolean isKnown() {
        return !equals(NONE);
    }
}
