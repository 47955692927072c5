package io.millrace.codec.translate;

import java.nio.charset.StandardCharsets;

/**
 * Writes the JSON of one frame after the other, without a tree. Half a surrogate pair is escaped, so that the client can
 * join it with the half that comes in the next frame. Used as a stack of objects and arrays: the caller keeps it balanced.
 */
final class JsonText {
    private static final char[] HEX = "0123456789abcdef".toCharArray();
    private static final int INITIAL_CHARS = 512;

    private final StringBuilder out = new StringBuilder(INITIAL_CHARS);

    /** What was written; valid until {@link #reset}. */
    CharSequence text() {
        return out;
    }

    /** What was written, in UTF-8. */
    byte[] bytes() {
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The room that it keeps, in characters. */
    long capacity() {
        return out.capacity();
    }

    JsonText reset() {
        out.setLength(0);
        return this;
    }

    /** Begins an object that is an element, or the whole. */
    JsonText object() {
        separate();
        out.append('{');
        return this;
    }

    JsonText object(String key) {
        key(key);
        out.append('{');
        return this;
    }

    JsonText endObject() {
        out.append('}');
        return this;
    }

    JsonText array(String key) {
        key(key);
        out.append('[');
        return this;
    }

    JsonText endArray() {
        out.append(']');
        return this;
    }

    /** A string that is an element. */
    JsonText element(String value) {
        separate();
        string(value);
        return this;
    }

    JsonText put(String key, String value) {
        key(key);
        if (value == null) {
            out.append("null");
        } else {
            string(value);
        }
        return this;
    }

    JsonText put(String key, long value) {
        key(key);
        out.append(value);
        return this;
    }

    JsonText put(String key, boolean value) {
        key(key);
        out.append(value);
        return this;
    }

    JsonText putNull(String key) {
        key(key);
        out.append("null");
        return this;
    }

    /** Puts a value that is JSON already, on one line. */
    JsonText putJson(String key, String json) {
        key(key);
        out.append(json);
        return this;
    }

    private void key(String key) {
        separate();
        out.append('"').append(key).append("\":");
    }

    private void separate() {
        int last = out.length() - 1;
        if (last >= 0 && out.charAt(last) != '{' && out.charAt(last) != '[' && out.charAt(last) != ':') {
            out.append(',');
        }
    }

    private void string(String value) {
        out.append('"');
        int plain = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\' || c < ' ' || Character.isSurrogate(c)) {
                out.append(value, plain, i);
                if (isPair(value, i)) {
                    out.append(c).append(value.charAt(++i));
                } else {
                    escape(c);
                }
                plain = i + 1;
            }
        }
        out.append(value, plain, value.length()).append('"');
    }

    private static boolean isPair(String value, int at) {
        return at + 1 < value.length() && Character.isSurrogatePair(value.charAt(at), value.charAt(at + 1));
    }

    private void escape(char c) {
        switch (c) {
            case '"', '\\' -> out.append('\\').append(c);
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            default ->
                out.append("\\u")
                        .append(HEX[c >> 12])
                        .append(HEX[c >> 8 & 0xF])
                        .append(HEX[c >> 4 & 0xF])
                        .append(HEX[c & 0xF]);
        }
    }
}
