package io.millrace.codec.dialect;

/**
 * How far a stream has come towards its end, by its own frames. The constants are in order, and a stream moves only to
 * later ones. There is one exception: {@link #FINISHED} goes back to {@link #OPEN} when more output or another choice
 * comes after a finish reason.
 */
public enum StreamEnd {
    /** More is expected: if the body ends now, the answer is truncated. */
    OPEN,
    /** Every choice has its finish reason. The body may end now, but more may follow, also output. */
    FINISHED,
    /** The dialect's terminal was seen. Usage or {@code [DONE]} may still follow it. */
    TERMINAL,
    /** The dialect's last frame was seen: {@code [DONE]} or {@code message_stop}. Nothing follows. */
    DONE,
    /** An error that the client recognises ended the stream. A later {@code [DONE]} does not make it a success. */
    ERROR,
    /** An error that the client's SDK does not recognise ended the stream. */
    HIDDEN_ERROR
}
