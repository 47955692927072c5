package io.millrace.codec.dialect;

/**
 * Token counts of one answer as the provider reports them. {@code -1} means not reported.
 *
 * @param inputTokens prompt tokens, as the dialect counts them (Messages: without cache creation and cache reads)
 * @param outputTokens completion tokens, as the dialect counts them; in Chat they include reasoning, even if only the
 *     total includes it
 * @param cachedTokens prompt tokens read from a cache
 * @param reasoningTokens completion tokens spent on reasoning
 * @param cacheWriteTokens prompt tokens written to a cache
 */
public record Usage(
        long inputTokens, long outputTokens, long cachedTokens, long reasoningTokens, long cacheWriteTokens) {
    /** No counts. */
    public static final Usage NONE = new Usage(-1, -1, -1, -1);

    /** Counts without tokens written to a cache. */
    public Usage(long inputTokens, long outputTokens, long cachedTokens, long reasoningTokens) {
        this(inputTokens, outputTokens, cachedTokens, reasoningTokens, -1);
    }
}
