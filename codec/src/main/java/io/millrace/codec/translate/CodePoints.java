package io.millrace.codec.translate;

/** Places in a text: dialects count characters, which are code points, or bytes of UTF-8. */
final class CodePoints {
    private CodePoints() {}

    /** How many code points a text has. Half of a surrogate pair at its end may count as one. */
    static int count(CharSequence text) {
        int count = 0;
        for (int i = 0; i < text.length(); i++) {
            count += Character.isLowSurrogate(text.charAt(i)) ? 0 : 1;
        }
        return count;
    }
}
