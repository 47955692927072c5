package io.millrace.codec.dialect;

/**
 * How far a stream has come towards its end, as its own frames say. Ordered: a stream moves to the right only, but for
 * one step, {@link #FINISHED} back to {@link #OPEN}, when more output comes behind a finish reason, or a further choice.
 */
public enum StreamEnd {
    /** More is to come: an end of the body here is a truncation. */
    OPEN,
    /** Every choice has its finish reason: an end of the body is clean, but more may follow, output too. */
    FINISHED,
    /** The dialect's terminal was seen, and something (usage, a {@code [DONE]}) may still follow it. */
    TERMINAL,
    /** The dialect's last frame was seen: {@code [DONE]} or {@code message_stop}. Nothing follows. */
    DONE,
    /** An error that the client can see ended the stream. A later {@code [DONE]} does not make it a success. */
    ERROR,
    /** An error that the client's SDK cannot see ended the stream. */
    HIDDEN_ERROR
}
