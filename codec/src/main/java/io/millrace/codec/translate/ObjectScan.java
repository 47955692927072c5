package io.millrace.codec.translate;

/** Follows the text of a JSON object that comes in pieces, as far as to know whether it is whole. */
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
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            hash = 31 * hash + c;
            if (inString) {
                readInString(c);
            } else if (c > ' ') {
                readOutside(c);
            }
        }
        length += text.length();
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

    private void readInString(char c) {
        if (escaped) {
            escaped = false;
        } else if (c == '\\') {
            escaped = true;
        } else if (c == '"') {
            inString = false;
        }
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
