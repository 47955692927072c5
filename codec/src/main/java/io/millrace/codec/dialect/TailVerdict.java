package io.millrace.codec.dialect;

/** What to do with an unfinished frame (no blank line) at a clean end of the body. */
public enum TailVerdict {
    /** Completes the answer, or follows its end: forward it as it is. */
    TERMINAL,
    /** Says that the answer failed, and no SDK will see it: forward it, then write an error frame. */
    HIDDEN_ERROR,
    /** The dialect is unknown: forward it as it is. */
    FORWARD,
    /** Part of a frame, or a frame of an answer that is not complete: drop it, then write an error frame. */
    DROP
}
