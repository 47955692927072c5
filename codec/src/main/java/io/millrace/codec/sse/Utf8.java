package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Decodes UTF-8 as the WHATWG Encoding Standard does (section 8.1.1): one U+FFFD for each maximal subpart of a bad
 * sequence. The JDK's decoder differs only for an encoded surrogate: it gives one U+FFFD, and the standard gives three.
 */
final class Utf8 {
    private static final char REPLACEMENT = '\uFFFD';

    private Utf8() {}

    static String decode(byte[] bytes, int start, int end) {
        String text = new String(bytes, start, end - start, UTF_8);
        return text.indexOf(REPLACEMENT) < 0 ? text : decodeBad(bytes, start, end);
    }

    private static String decodeBad(byte[] bytes, int start, int end) {
        StringBuilder text = new StringBuilder(end - start);
        int at = start;
        while (at < end) {
            int length = subpartLength(bytes, at, end);
            int expected = sequenceLength(bytes[at] & 0xFF);
            if (length == expected) {
                text.append(new String(bytes, at, length, UTF_8));
            } else {
                text.append(REPLACEMENT);
            }
            at += length;
        }
        return text.toString();
    }

    /** The length of the longest start of a well-formed sequence at {@code at}, at least 1. */
    private static int subpartLength(byte[] bytes, int at, int end) {
        int first = bytes[at] & 0xFF;
        int expected = sequenceLength(first);
        int length = 1;
        while (length < expected && at + length < end && continues(first, length, bytes[at + length] & 0xFF)) {
            length++;
        }
        return length;
    }

    /** The length of the sequence that begins with {@code first}, or 0 if none does. */
    private static int sequenceLength(int first) {
        if (first < 0x80) {
            return 1;
        }
        if (first < 0xC2 || first > 0xF4) {
            return 0;
        }
        return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    }

    private static boolean continues(int first, int index, int value) {
        int lowest = index > 1 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        int highest = index > 1 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        return value >= lowest && value <= highest;
    }
}
