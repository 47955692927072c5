package io.millrace.codec.translate;

/**
 * Token counts of one answer, with the same meaning for every dialect. {@code -1} means not reported.
 *
 * @param input all tokens of the prompt, including those read from and written to a cache
 * @param cacheRead the tokens of these that were read from a cache
 * @param cacheWrite the tokens of these that were written to a cache
 * @param output all tokens of the answer, including reasoning
 * @param reasoning the tokens of these that are reasoning
 */
public record TokenCounts(long input, long cacheRead, long cacheWrite, long output, long reasoning) {
    /** No count was reported. */
    public static final TokenCounts NONE = new TokenCounts(-1, -1, -1, -1, -1);

    /** These counts, with each one replaced that {@code later} reports. */
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
