package io.millrace.codec.dialect;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** Finds the field lines of a frame that inspectors read (WHATWG HTML 9.2.6). */
final class FieldLines {
    private static final byte LF = '\n';
    private static final byte CR = '\r';

    private FieldLines() {}

    /** The index of the first byte of text: after a byte order mark, if there is one. */
    static int afterByteOrderMark(byte[] bytes, int from, int to) {
        boolean marked = to - from >= 3
                && bytes[from] == (byte) 0xEF
                && bytes[from + 1] == (byte) 0xBB
                && bytes[from + 2] == (byte) 0xBF;
        return marked ? from + 3 : from;
    }

    /** The index of the value of the line at {@code at} if the line's field is {@code name}, else {@code -1}. */
    static int valueOf(byte[] name, byte[] bytes, int at, int to) {
        if (bytes[at] != name[0] || !startsWith(bytes, at, to, name)) {
            return -1;
        }
        int next = at + name.length;
        if (next == to || isLineEnd(bytes[next])) {
            return next;
        }
        if (bytes[next] != ':') {
            return -1;
        }
        next++;
        return next < to && bytes[next] == ' ' ? next + 1 : next;
    }

    static int lineEnd(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && !isLineEnd(bytes[at])) {
            at++;
        }
        return at;
    }

    static boolean isLineEnd(byte b) {
        return b == LF || b == CR;
    }

    static boolean startsWith(byte[] bytes, int at, int to, byte[] prefix) {
        return to - at >= prefix.length && Arrays.equals(bytes, at, at + prefix.length, prefix, 0, prefix.length);
    }

    /** The values of all lines whose field is {@code name}. A line feed follows each value. */
    static byte[] join(byte[] name, byte[] bytes, int from, int to) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream(to - from);
        for (int at = from; at < to; at++) {
            int lineEnd = lineEnd(bytes, at, to);
            int value = valueOf(name, bytes, at, to);
            if (value >= 0) {
                joined.write(bytes, value, lineEnd - value);
                joined.write(LF);
            }
            at = lineEnd;
        }
        return joined.toByteArray();
    }
}
