package io.millrace.server.downstream;

import io.netty.util.ByteProcessor;
import org.jspecify.annotations.Nullable;

/**
 * Reads the raw bytes of a request head before Netty's decoder does, and finds what that decoder tolerates: more than
 * two empty lines before the request line, separators that are not one space, and folded header lines (RFC 9112
 * sections 2.2, 3 and 5.2).
 */
final class RequestHeadCheck implements ByteProcessor {
    private static final int MAX_LEADING_EMPTY_LINES = 2;

    private State state = State.LEADING;
    private int emptyLines;
    private int spaces;
    private boolean afterSpace;
    private @Nullable String violation;

    private enum State {
        LEADING,
        LEADING_LF,
        REQUEST_LINE,
        LINE_START,
        LINE,
        EMPTY_LINE,
        ENDED
    }

    /** The fault of the head, or null if none was found so far. */
    @Nullable
    String violation() {
        return violation;
    }

    /** Resets for the next head. */
    void reset() {
        state = State.LEADING;
        emptyLines = 0;
        spaces = 0;
        afterSpace = false;
        violation = null;
    }

    /** Whether a byte of a head was seen since the last reset. */
    boolean started() {
        return state != State.LEADING || emptyLines > 0;
    }

    @Override
    public boolean process(byte octet) {
        switch (state) {
            case LEADING -> leading(octet);
            case LEADING_LF -> {
                state = State.LEADING;
                if (octet != '\n') {
                    violation = "a CR without LF before the request line";
                } else if (++emptyLines > MAX_LEADING_EMPTY_LINES) {
                    violation = "more than " + MAX_LEADING_EMPTY_LINES + " empty lines before the request line";
                }
            }
            case REQUEST_LINE -> requestLine(octet);
            case LINE_START -> {
                if (octet == ' ' || octet == '\t') {
                    violation = "a folded header line";
                }
                state = octet == '\r' ? State.EMPTY_LINE : State.LINE;
            }
            case LINE -> state = octet == '\n' ? State.LINE_START : State.LINE;
            case EMPTY_LINE -> state = octet == '\n' ? State.ENDED : State.LINE;
            case ENDED -> {
                // A body follows.
            }
        }
        return violation == null && state != State.ENDED;
    }

    private void leading(byte octet) {
        if (octet == '\r') {
            state = State.LEADING_LF;
        } else if (octet > ' ' && octet < 0x7f) {
            state = State.REQUEST_LINE;
        } else {
            violation = "white space or a control character before the request line";
        }
    }

    private void requestLine(byte octet) {
        if (octet == '\n') {
            state = State.LINE_START;
            if (spaces != 2) {
                violation = "a request line that is not method, target and version";
            }
            return;
        }
        if (octet == ' ') {
            if (afterSpace || ++spaces > 2) {
                violation = "a request line whose parts are not separated by one space";
            }
        } else if ((octet < ' ' && octet != '\r') || octet == 0x7f) {
            // Java bytes over 0x7f are negative, so this check finds them too.
            violation = "a request line with a control character or a byte that is not ASCII";
        }
        afterSpace = octet == ' ';
    }
}
