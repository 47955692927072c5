package io.millrace.codec.translate;

import java.nio.charset.StandardCharsets;

/** Places in a text: dialects count characters, which are code points, or bytes of UTF-8. */
final class CodePoints {
    private CodePoints() {}

    /** How many there are, also of a text that is cut in the middle of one. */
    static int count(CharSequence text) {
        int count = 0;
        for (int i = 0; i < text.length(); i++) {
            count += Character.isLowSurrogate(text.charAt(i)) ? 0 : 1;
        }
        return count;
    }

    /** How many bytes stand before a code point; all if it is behind the end. */
    static int bytesBefore(String text, int codePoint) {
        int all = text.codePointCount(0, text.length());
        int end = text.offsetByCodePoints(0, Math.max(0, Math.min(codePoint, all)));
        return text.substring(0, end).getBytes(StandardCharsets.UTF_8).length;
    }

    /** How many code points end within so many bytes. */
    static int countWithin(CharSequence text, long bytes) {
        long left = bytes;
        int count = 0;
        for (int i = 0; i < text.length(); count++) {
            int codePoint = Character.codePointAt(text, i);
            left -= codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
            if (left < 0) {
                return count;
            }
            i += Character.charCount(codePoint);
        }
        return count;
    }
}
