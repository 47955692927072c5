package io.millrace.server.telemetry;

import org.jspecify.annotations.Nullable;

/**
 * The field {@code traceparent} of a client (W3C Trace Context, level 2).
 *
 * @param traceId 32 hexadecimal digits
 * @param spanId the client's span: 16 hexadecimal digits
 * @param flags those that are known
 */
record TraceParent(String traceId, String spanId, int flags) {
    /** The client records the trace. */
    static final int SAMPLED = 1;

    private static final int KNOWN_FLAGS = 3;
    private static final int TRACE = 3;
    private static final int SPAN = 36;
    private static final int FLAGS = 53;
    private static final int LENGTH = 55;

    /** The parts of {@code text}; null if it is not valid. A later version may have more at its end. */
    static @Nullable TraceParent read(String text) {
        boolean dashes = text.length() >= LENGTH
                && text.charAt(TRACE - 1) == '-'
                && text.charAt(SPAN - 1) == '-'
                && text.charAt(FLAGS - 1) == '-';
        if (!dashes || !isHex(text, 0, 2) || !isHex(text, FLAGS, LENGTH) || text.startsWith("ff")) {
            return null;
        }
        boolean first = text.startsWith("00");
        if (text.length() > LENGTH && (first || text.charAt(LENGTH) != '-')) {
            return null;
        }
        if (!isId(text, TRACE, SPAN - 1) || !isId(text, SPAN, FLAGS - 1)) {
            return null;
        }
        int flags = Character.digit(text.charAt(LENGTH - 1), 16) & KNOWN_FLAGS;
        return new TraceParent(text.substring(TRACE, SPAN - 1), text.substring(SPAN, FLAGS - 1), flags);
    }

    boolean isSampled() {
        return (flags & SAMPLED) != 0;
    }

    /** Digits that are not all zero. */
    private static boolean isId(String text, int from, int to) {
        if (!isHex(text, from, to)) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (text.charAt(i) != '0') {
                return true;
            }
        }
        return false;
    }

    /** Capital letters are not valid. */
    private static boolean isHex(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
                return false;
            }
        }
        return true;
    }
}
