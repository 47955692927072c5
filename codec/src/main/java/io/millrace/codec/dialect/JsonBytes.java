package io.millrace.codec.dialect;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Finds the ends of JSON values in bytes. Strings are read eight bytes at a time. */
final class JsonBytes {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101010101010101L;
    private static final long HIGH_BITS = 0x8080808080808080L;
    private static final long QUOTES = '"' * ONES;
    private static final long BACKSLASHES = '\\' * ONES;

    private JsonBytes() {}

    /** The index of the quote that ends the string at {@code from}; {@code end} or more if there is none. */
    static int closingQuote(byte[] bytes, int from, int end) {
        int at = from;
        while ((at = quoteOrBackslash(bytes, at, end)) < end && bytes[at] == '\\') {
            at += 2;
        }
        return at;
    }

    private static int quoteOrBackslash(byte[] bytes, int from, int end) {
        int at = from;
        for (int last = end - Long.BYTES; at <= last; at += Long.BYTES) {
            long word = (long) LONGS.get(bytes, at);
            long found = zeroBytes(word ^ QUOTES) | zeroBytes(word ^ BACKSLASHES);
            if (found != 0) {
                return at + (Long.numberOfTrailingZeros(found) >>> 3);
            }
        }
        while (at < end && bytes[at] != '"' && bytes[at] != '\\') {
            at++;
        }
        return at;
    }

    /** Sets the high bit of the lowest zero byte. No lower bit is set; higher ones may be. */
    private static long zeroBytes(long word) {
        return (word - ONES) & ~word & HIGH_BITS;
    }

    /** The index of the first byte from {@code from} on that is no white space; {@code end} if there is none. */
    static int afterWhiteSpace(byte[] bytes, int from, int end) {
        int at = from;
        while (at < end && isWhiteSpace(bytes[at])) {
            at++;
        }
        return at;
    }

    /** The end of the number or word at {@code from}; {@code from} itself if there is none. */
    static int afterScalar(byte[] bytes, int from, int end) {
        int at = from;
        while (at < end && isScalar(bytes[at])) {
            at++;
        }
        return at;
    }

    static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    private static boolean isWhiteSpace(byte b) {
        return b == ' ' || b == '\n' || b == '\r' || b == '\t';
    }

    /** Whether numbers, {@code true}, {@code false} and {@code null} can have the byte: letters, digits and signs. */
    private static boolean isScalar(byte b) {
        return isDigit(b) || (b >= 'a' && b <= 'z') || b == '-' || b == '+' || b == '.' || b == 'E';
    }

    static boolean contains(byte[] bytes, int from, int end, char ascii) {
        for (int at = from; at < end; at++) {
            if (bytes[at] == ascii) {
                return true;
            }
        }
        return false;
    }

    /** Whether the bytes are the characters of {@code text}, which are ASCII. */
    static boolean isText(byte[] bytes, int from, int end, String text) {
        int length = end - from;
        if (text.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (text.charAt(i) != bytes[from + i]) {
                return false;
            }
        }
        return true;
    }

    /** Whether the bytes are {@code lowerCase}, ignoring case. */
    static boolean isLike(byte[] bytes, int from, int end, byte[] lowerCase) {
        if (end - from != lowerCase.length) {
            return false;
        }
        for (int i = 0; i < lowerCase.length; i++) {
            byte b = bytes[from + i];
            if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != lowerCase[i]) {
                return false;
            }
        }
        return true;
    }
}
