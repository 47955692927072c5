package io.millrace.codec.translate;

import java.util.Arrays;

/**
 * Places in one text, counted in code points and in bytes of UTF-8. The conversion of a place does not cost more in a
 * longer text, because an answer may have very many places.
 */
final class TextPlaces {
    private static final int STEP = 256;

    private final CharSequence text;

    /** How many code points and bytes are before each {@link #STEP}th character. */
    private final int[] points;

    private final int[] bytes;

    TextPlaces(CharSequence text) {
        this.text = text;
        points = new int[text.length() / STEP + 1];
        bytes = new int[points.length];
        int pointsBefore = 0;
        int bytesBefore = 0;
        for (int i = 0; i < text.length(); i++) {
            if (i % STEP == 0) {
                points[i / STEP] = pointsBefore;
                bytes[i / STEP] = bytesBefore;
            }
            char c = text.charAt(i);
            pointsBefore += Character.isLowSurrogate(c) ? 0 : 1;
            bytesBefore += bytesOf(c);
        }
        if (text.length() % STEP == 0) {
            points[points.length - 1] = pointsBefore;
            bytes[points.length - 1] = bytesBefore;
        }
    }

    /** How many bytes come before a code point; all bytes if it is after the end. */
    int bytesBefore(int codePoint) {
        int step = lastUpTo(points, codePoint);
        int point = points[step];
        int before = bytes[step];
        for (int i = step * STEP; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isLowSurrogate(c) && point++ >= codePoint) {
                break;
            }
            before += bytesOf(c);
        }
        return before;
    }

    /** How many code points end within that many bytes. */
    int pointsWithin(long byteCount) {
        int step = lastUpTo(bytes, (int) Math.min(byteCount, Integer.MAX_VALUE));
        if (step > 0 && step * STEP < text.length() && Character.isLowSurrogate(text.charAt(step * STEP))) {
            step--;
        }
        int point = points[step];
        long end = bytes[step];
        for (int i = step * STEP; i < text.length(); i++) {
            char c = text.charAt(i);
            end += bytesOf(c);
            boolean pair = Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (end + (pair ? bytesOf(c) : 0) > byteCount) {
                break;
            }
            point += Character.isLowSurrogate(c) ? 0 : 1;
        }
        return point;
    }

    /** Half of a surrogate pair has half of its four bytes. */
    private static int bytesOf(char c) {
        return c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }

    /** The last index in an ascending array whose value is not greater; the first index if there is none. */
    private static int lastUpTo(int[] ascending, int value) {
        int found = Arrays.binarySearch(ascending, value);
        return Math.max(0, found >= 0 ? found : -found - 2);
    }
}
