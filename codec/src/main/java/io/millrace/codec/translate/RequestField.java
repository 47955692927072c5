package io.millrace.codec.translate;

/** The fields of a {@link ModelRequest} that some dialect cannot express. */
public enum RequestField {
    /** {@link ModelRequest#model}. */
    MODEL,
    /** The conversation, or a part of it. */
    TURNS,
    /** {@link ModelRequest#tools}. */
    TOOLS,
    /** {@link ModelRequest#toolChoice}. */
    TOOL_CHOICE,
    /** {@link ModelRequest#parallelTools}. */
    PARALLEL_TOOLS,
    /** {@link ModelRequest#maxTokens}. */
    MAX_TOKENS,
    /** {@link Sampling#topK}. */
    TOP_K,
    /** {@link Sampling#presencePenalty}. */
    PRESENCE_PENALTY,
    /** {@link Sampling#frequencyPenalty}. */
    FREQUENCY_PENALTY,
    /** {@link Sampling#stops}. */
    STOPS,
    /** {@link ModelRequest#format}. */
    FORMAT,
    /** {@link ModelRequest#thinking}. */
    THINKING
}
