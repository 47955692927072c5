package io.millrace.codec.translate;

/** Scans the text of a JSON object that comes in pieces, to know when it is complete. */
final class ObjectScan {
    private int depth;
    private boolean begun;
    private boolean object;
    private boolean inString;
    private boolean escaped;
    private boolean whole;
    private int hash;
    private int length;

    /** Scans the next piece. */
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

    /** Whether nothing but white space came. */
    boolean isEmpty() {
        return !begun;
    }

    /** Whether it is an object and its last brace has come. */
    boolean isWhole() {
        return whole;
    }

    /** Whether it is an object and its last brace has not come. */
    boolean isOpen() {
        return object && !whole;
    }

    /** Whether the whole text equals this one, by its hash. */
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

    /** Continues in a string. Returns the index of the last character that was read. */
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

    /**
     * 31 to the power of {@code exponent}. The hash of a text is multiplied by it before the hash of that many
     * characters is added.
     */
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
                // Only the next character shows the end of a number or word.
            }
        }
    }
}
