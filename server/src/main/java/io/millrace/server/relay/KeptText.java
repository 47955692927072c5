package io.millrace.server.relay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The bytes of one JSON string, number or word, kept up to a bound while they come in parts. */
final class KeptText {
    private static final int FIRST_BYTES = 128;
    private static final ObjectMapper JSON = new ObjectMapper();

    private byte[] bytes = new byte[FIRST_BYTES];
    private int length;
    private int most;
    private boolean escaped;

    /** Begins anew, and keeps no more than {@code bound} bytes. */
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

    /** What follows is an escape. */
    void escape() {
        escaped = true;
    }

    /** Whether as much is kept as may be, so that there may be more. */
    boolean isFull() {
        return length == most;
    }

    /** Whether an escape in it is none. */
    boolean isBroken() {
        return escaped && text() == null;
    }

    boolean isNumber() {
        return bytes[0] == '-' || isDigit(bytes[0]);
    }

    /** Whether it is written just so, without an escape. */
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

    /** Whether it is this text, however it is written. */
    boolean means(String text) {
        return escaped ? text.equals(text()) : is(text);
    }

    /** The number, which has no sign and no fraction, as far as it fits; -1 if it is another. */
    int natural() {
        for (int i = 0; i < length; i++) {
            if (!isDigit(bytes[i])) {
                return -1;
            }
        }
        return length > 9 ? Integer.MAX_VALUE : Integer.parseInt(raw());
    }

    /** The text that a string means; null if an escape in it is none. */
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
