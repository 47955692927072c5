package io.millrace.codec.translate;

/** Why an answer ended. */
public enum StopReason {
    /** The model completed its answer. */
    END,
    /** The model wrote a stop sequence. */
    STOP_SEQUENCE,
    /** The limit of tokens was reached. */
    LENGTH,
    /** The model's context was full. */
    CONTEXT_FULL,
    /** The model waits for the results of its tool calls. */
    TOOL_CALLS,
    /** A filter cut or withheld the answer, or blocked the prompt. */
    CONTENT_FILTER,
    /** The model refused, or a safety check of its provider did. */
    REFUSAL,
    /** A long turn was paused. The client may send it back to continue it. */
    PAUSE,
    /** The client asked the relay to stop. */
    STOPPED,
    /** Any other word of the upstream for an end. */
    OTHER
}
