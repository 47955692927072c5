package io.millrace.codec.dialect;

/** The bytes of a heartbeat. */
public enum HeartbeatForm {
    /** A comment and a blank line. */
    COMMENT,
    /** A comment without a blank line. */
    COMMENT_LINE,
    /** An {@code event: ping} as Messages has it. */
    PING_EVENT
}
