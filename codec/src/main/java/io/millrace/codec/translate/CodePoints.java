package io.millrace.codec.translate;

/** Counts code points. Dialects give places in a text as code points, or as bytes of UTF-8. */
final class CodePoints {
    private CodePoints() {}

    /** The number of code points in a text. Half of a surrogate pair at its end may count as one. */
    static int count(CharSequence text) {
        int count = 0;
        for (int i = 0; i < text.length(); i++) {
            count += Character.isLowSurrogate(text.charAt(i)) ? 0 : 1;
        }
        return count;
    }
}
