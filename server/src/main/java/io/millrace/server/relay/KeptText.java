package io.millrace.server.relay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Keeps the bytes of one JSON string, number or word that comes in parts, up to a limit. */
final class KeptText {
    private static final int FIRST_BYTES = 128;
    private static final ObjectMapper JSON = new ObjectMapper();

    private byte[] bytes = new byte[FIRST_BYTES];
    private int length;
    private int most;
    private boolean escaped;

    /** Begins a new value, and keeps at most {@code bound} bytes. */
    void begin(int bound) {
        length = 0;
        most = bound;
        escaped = false;
    }

    void add(byte octet) {
        if (length < most) {
            if (length == bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.min(most, bytes.length * 2));
            }
            bytes[length++] = octet;
        }
    }

    void add(byte[] from, int start, int end) {
        for (int i = start; i < end && length < most; i++) {
            add(from[i]);
        }
    }

    /** An escape follows. */
    void escape() {
        escaped = true;
    }

    /** Whether the limit is reached, so that the value may be longer. */
    boolean isFull() {
        return length == most;
    }

    /** Whether it has an invalid escape. */
    boolean isBroken() {
        return escaped && text() == null;
    }

    boolean isNumber() {
        return bytes[0] == '-' || isDigit(bytes[0]);
    }

    /** Whether its bytes are exactly {@code text}, without an escape. */
    boolean is(String text) {
        if (text.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes[i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Whether it means {@code text}, with or without escapes. */
    boolean means(String text) {
        return escaped ? text.equals(text()) : is(text);
    }

    /** The number, if it has no sign and no fraction, limited to the range of an int; otherwise -1. */
    int natural() {
        for (int i = 0; i < length; i++) {
            if (!isDigit(bytes[i])) {
                return -1;
            }
        }
        return length > 9 ? Integer.MAX_VALUE : Integer.parseInt(raw());
    }

    /** The text of a string; null if it has an invalid escape. */
    @Nullable
    String text() {
        if (!escaped) {
            return raw();
        }
        try {
            return JSON.readValue('"' + raw() + '"', String.class);
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    private String raw() {
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    private static boolean isDigit(byte octet) {
        return octet >= '0' && octet <= '9';
    }
}
