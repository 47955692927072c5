package io.millrace.codec.dialect;

/** What to do with an unfinished frame (no blank line) at a clean end of the body. */
public enum TailVerdict {
    /** It completes the answer, or follows its end: forward it unchanged. */
    TERMINAL,
    /** It says that the answer failed, and no SDK recognises it: forward it, then write an error frame. */
    HIDDEN_ERROR,
    /** The dialect is unknown: forward it unchanged. */
    FORWARD,
    /** It is a part of a frame, or a frame of an incomplete answer: drop it, then write an error frame. */
    DROP
}
