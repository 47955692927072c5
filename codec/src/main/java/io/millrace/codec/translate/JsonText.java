package io.millrace.codec.translate;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Writes the JSON of one frame after another as UTF-8, without a tree. Half a surrogate pair is escaped, so that the
 * client can join it with the half in the next frame. The caller keeps objects and arrays balanced. Keys are ASCII.
 */
final class JsonText {
    private static final byte[] HEX = "0123456789abcdef".getBytes(UTF_8);
    private static final byte[] NULL = "null".getBytes(UTF_8);
    private static final byte[] TRUE = "true".getBytes(UTF_8);
    private static final byte[] FALSE = "false".getBytes(UTF_8);
    private static final int INITIAL_BYTES = 512;
    private static final int MAX_ESCAPE_BYTES = 6;

    private byte[] bytes = new byte[INITIAL_BYTES];
    private int length;

    /** Appends the written bytes to {@code out}. */
    void writeTo(ByteBuf out) {
        out.writeBytes(bytes, 0, length);
    }

    /** The written JSON as text. */
    String text() {
        return new String(bytes, 0, length, UTF_8);
    }

    /** The written JSON in UTF-8. */
    byte[] bytes() {
        return Arrays.copyOf(bytes, length);
    }

    /** The size of the buffer in bytes. */
    long capacity() {
        return bytes.length;
    }

    JsonText reset() {
        length = 0;
        return this;
    }

    /** Begins an object that is an element, or the whole text. */
    JsonText object() {
        separate();
        return raw('{');
    }

    JsonText object(String key) {
        key(key);
        return raw('{');
    }

    JsonText endObject() {
        return raw('}');
    }

    JsonText array(String key) {
        key(key);
        return raw('[');
    }

    JsonText endArray() {
        return raw(']');
    }

    /** Adds a string as an element. */
    JsonText element(String value) {
        separate();
        string(value);
        return this;
    }

    JsonText put(String key, @Nullable String value) {
        key(key);
        if (value == null) {
            raw(NULL);
        } else {
            string(value);
        }
        return this;
    }

    /** Puts a string, unless it is {@code null}. */
    JsonText putKnown(String key, @Nullable String value) {
        return value == null ? this : put(key, value);
    }

    JsonText put(String key, long value) {
        key(key);
        if (value >= 0 && value < 10) {
            return raw((char) ('0' + value));
        }
        String digits = Long.toString(value);
        reserve(digits.length());
        ascii(digits, 0, digits.length());
        return this;
    }

    JsonText put(String key, boolean value) {
        key(key);
        raw(value ? TRUE : FALSE);
        return this;
    }

    JsonText putNull(String key) {
        key(key);
        raw(NULL);
        return this;
    }

    /** Puts a value that is already JSON, on one line. */
    JsonText putJson(String key, String json) {
        key(key);
        raw(json.getBytes(UTF_8));
        return this;
    }

    private void key(String key) {
        separate();
        reserve(key.length() + 3);
        bytes[length++] = '"';
        ascii(key, 0, key.length());
        bytes[length++] = '"';
        bytes[length++] = ':';
    }

    private void separate() {
        byte last = length == 0 ? (byte) '{' : bytes[length - 1];
        if (last != '{' && last != '[' && last != ':') {
            raw(',');
        }
    }

    private void string(String value) {
        int size = value.length();
        reserve(size + 2);
        bytes[length++] = '"';
        int plain = 0;
        for (int i = 0; i < size; i++) {
            char c = value.charAt(i);
            if (c < ' ' || c == '"' || c == '\\' || c >= 0x80) {
                ascii(value, plain, i);
                // Room for this character, the rest of the string, and the closing quote.
                reserve(size - i + MAX_ESCAPE_BYTES + 1);
                i += put(value, i, c);
                plain = i + 1;
            }
        }
        ascii(value, plain, size);
        bytes[length++] = '"';
    }

    /** Puts the character at {@code at} of a string. Returns how many further characters of the string belong to it. */
    private int put(String value, int at, char c) {
        if (c < 0x80 || (Character.isSurrogate(c) && !isPair(value, at))) {
            escape(c);
            return 0;
        }
        if (c < 0x800) {
            bytes[length++] = (byte) (0xC0 | (c >> 6));
        } else if (!Character.isSurrogate(c)) {
            bytes[length++] = (byte) (0xE0 | (c >> 12));
            bytes[length++] = (byte) (0x80 | ((c >> 6) & 0x3F));
        } else {
            int point = Character.toCodePoint(c, value.charAt(at + 1));
            bytes[length++] = (byte) (0xF0 | (point >> 18));
            bytes[length++] = (byte) (0x80 | ((point >> 12) & 0x3F));
            bytes[length++] = (byte) (0x80 | ((point >> 6) & 0x3F));
            bytes[length++] = (byte) (0x80 | (point & 0x3F));
            return 1;
        }
        bytes[length++] = (byte) (0x80 | (c & 0x3F));
        return 0;
    }

    private static boolean isPair(String value, int at) {
        return at + 1 < value.length() && Character.isSurrogatePair(value.charAt(at), value.charAt(at + 1));
    }

    private void escape(char c) {
        bytes[length++] = '\\';
        switch (c) {
            case '"', '\\' -> bytes[length++] = (byte) c;
            case '\n' -> bytes[length++] = 'n';
            case '\r' -> bytes[length++] = 'r';
            case '\t' -> bytes[length++] = 't';
            default -> {
                bytes[length++] = 'u';
                for (int shift = 12; shift >= 0; shift -= 4) {
                    bytes[length++] = HEX[(c >> shift) & 0xF];
                }
            }
        }
    }

    private JsonText raw(char c) {
        reserve(1);
        bytes[length++] = (byte) c;
        return this;
    }

    private void raw(byte[] ascii) {
        reserve(ascii.length);
        System.arraycopy(ascii, 0, bytes, length, ascii.length);
        length += ascii.length;
    }

    /**
     * Copies ASCII characters. This method of String is deprecated because it is wrong for other characters. It is the
     * fastest.
     */
    @SuppressWarnings("deprecation")
    private void ascii(String text, int start, int end) {
        text.getBytes(start, end, bytes, length);
        length += end - start;
    }

    private void reserve(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(Math.addExact(length, more), 2 * bytes.length));
        }
    }
}
