package io.millrace.codec.translate;

/** Why an answer ended. */
public enum StopReason {
    /** The model had said what it had to say. */
    END,
    /** A stop sequence came up. */
    STOP_SEQUENCE,
    /** The limit of tokens was reached. */
    LENGTH,
    /** The model's context was full. */
    CONTEXT_FULL,
    /** The model waits for what its tool calls yield. */
    TOOL_CALLS,
    /** A filter cut or withheld the answer, or blocked the prompt. */
    CONTENT_FILTER,
    /** The model, or what watches over it, refused. */
    REFUSAL,
    /** A long turn was paused; the client may send it back to go on. */
    PAUSE,
    /** The client asked the relay to stop. */
    STOPPED,
    /** Anything else that the upstream calls an end. */
    OTHER
}
