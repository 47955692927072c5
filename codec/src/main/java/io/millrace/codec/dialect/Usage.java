package io.millrace.codec.dialect;

/**
 * Token counts of one answer as the provider reports them. {@code -1} means not reported.
 *
 * @param inputTokens prompt tokens, as the dialect counts them (Messages: without cache creation and cache reads)
 * @param outputTokens completion tokens, as the dialect counts them
 * @param cachedTokens prompt tokens read from a cache
 * @param reasoningTokens completion tokens spent on reasoning
 */
public record Usage(long inputTokens, long outputTokens, long cachedTokens, long reasoningTokens) {
    /** Nothing was reported. */
    public static final Usage NONE = new Usage(-1, -1, -1, -1);
}
