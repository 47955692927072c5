package io.millrace.codec.dialect;

/** What a frame means to a relay. Decided from its bytes, without building a JSON tree. */
public enum FrameKind {
    /** Carries model output: text, reasoning, a refusal, a tool call, audio or an image. */
    OUTPUT,
    /** Belongs to the answer but carries no output: created, role, block start and stop, finish reason, usage. */
    STRUCTURAL,
    /** Carries nothing: a comment, a ping, an empty delta. Does not count as progress. */
    KEEP_ALIVE,
    /** Says that the answer is complete. */
    TERMINAL,
    /** Says that the answer failed, in a form that the dialect's SDKs see. */
    ERROR,
    /** Says that the answer failed, in a form that the dialect's SDKs cannot see. */
    HIDDEN_ERROR
}
