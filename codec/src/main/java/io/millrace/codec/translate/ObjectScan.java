package io.millrace.codec.translate;

/** Reads the text of a JSON object that comes in pieces, to know when it is whole. */
final class ObjectScan {
    private int depth;
    private boolean begun;
    private boolean object;
    private boolean inString;
    private boolean escaped;
    private boolean whole;
    private int hash;
    private int length;

    /** Reads the next piece. */
    void add(String text) {
        int size = text.length();
        hash = hash * power(size) + text.hashCode();
        length += size;
        for (int i = 0; i < size; i++) {
            if (inString) {
                i = readInString(text, i, size);
            } else if (text.charAt(i) > ' ') {
                readOutside(text.charAt(i));
            }
        }
    }

    /** Nothing but white space came. */
    boolean isEmpty() {
        return !begun;
    }

    /** It is an object, and its last brace was there. */
    boolean isWhole() {
        return whole;
    }

    /** It is an object whose last brace has not come. */
    boolean isOpen() {
        return object && !whole;
    }

    /** Whether all that came is this text, by its hash. */
    boolean isText(String text) {
        return text.length() == length && text.hashCode() == hash;
    }

    /** Whether this can be the beginning of an object. */
    static boolean begins(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > ' ') {
                return text.charAt(i) == '{';
            }
        }
        return false;
    }

    /** Reads on in a string and returns the place of the last character that was read. */
    private int readInString(String text, int from, int size) {
        boolean escape = escaped;
        int at = from;
        for (; at < size; at++) {
            char c = text.charAt(at);
            if (escape) {
                escape = false;
            } else if (c == '"') {
                inString = false;
                break;
            } else {
                escape = c == '\\';
            }
        }
        escaped = escape;
        return at;
    }

    /** 31 to the power of {@code exponent}, by which the hash of a text grows before that of as many characters is added. */
    private static int power(int exponent) {
        int power = 1;
        int square = 31;
        for (int rest = exponent; rest > 0; rest >>= 1) {
            power *= (rest & 1) == 0 ? 1 : square;
            square *= square;
        }
        return power;
    }

    private void readOutside(char c) {
        if (!begun) {
            begun = true;
            object = c == '{';
        }
        switch (c) {
            case '"' -> inString = true;
            case '{', '[' -> depth++;
            case '}', ']' -> whole |= --depth == 0 && object;
            default -> {
                // Numbers and words have no end of their own.
            }
        }
    }
}
