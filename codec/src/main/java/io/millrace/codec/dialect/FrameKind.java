package io.millrace.codec.dialect;

/** The meaning of a frame for a relay. It is decided from the bytes, without a JSON tree. */
public enum FrameKind {
    /** The frame has model output: text, reasoning, a refusal, a tool call, audio or an image. */
    OUTPUT,
    /** The frame belongs to the answer but has no output: created, role, block start and stop, finish reason, usage. */
    STRUCTURAL,
    /** The frame has no content: a comment, a ping, an empty delta. It does not count as progress. */
    KEEP_ALIVE,
    /** The frame says that the answer is complete. */
    TERMINAL,
    /** The frame says that the answer failed, in a form that the dialect's SDKs recognise. */
    ERROR,
    /** The frame says that the answer failed, in a form that the dialect's SDKs do not recognise. */
    HIDDEN_ERROR
}
