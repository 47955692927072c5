package io.millrace.server.address;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * Reads IPv4 and IPv6 addresses as text. It refuses names, zones such as {@code %eth0}, and numbers with leading
 * zeros, which some readers take for octal.
 */
final class AddressText {
    private static final int V4_BYTES = 4;
    private static final int V6_BYTES = 16;
    private static final int MAX_V6_TEXT = 45;
    private static final int NONE = -1;

    private AddressText() {}

    /** The address in {@code text}, or null. An IPv4 address that is mapped to IPv6 becomes IPv4. */
    static @Nullable InetAddress parse(CharSequence text) {
        byte[] bytes = text.length() > MAX_V6_TEXT ? null : isV6(text) ? v6(text) : v4(text, 0);
        return bytes == null ? null : address(bytes);
    }

    /** The IPv4 or IPv6 address in 4 or 16 bytes. */
    static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    static boolean isV6(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == ':') {
                return true;
            }
        }
        return false;
    }

    private static byte @Nullable [] v4(CharSequence text, int start) {
        var bytes = new byte[V4_BYTES];
        int at = start;
        for (int i = 0; i < V4_BYTES; i++) {
            int begin = at;
            int value = 0;
            while (at < text.length() && at - begin < 3 && isDigit(text.charAt(at))) {
                value = value * 10 + text.charAt(at++) - '0';
            }
            boolean leadingZero = at - begin > 1 && text.charAt(begin) == '0';
            if (at == begin || leadingZero || value > 255) {
                return null;
            }
            bytes[i] = (byte) value;
            boolean last = i == V4_BYTES - 1;
            if (last ? at != text.length() : at == text.length() || text.charAt(at++) != '.') {
                return null;
            }
        }
        return bytes;
    }

    /**
     * Reads RFC 4291 section 2.2: groups of up to four digits, at most one gap, and perhaps IPv4 in the last four
     * bytes.
     */
    private static byte @Nullable [] v6(CharSequence text) {
        var bytes = new byte[V6_BYTES];
        int filled = 0;
        int gap = NONE;
        int at = 0;
        if (text.charAt(0) == ':') {
            if (text.length() < 2 || text.charAt(1) != ':') {
                return null;
            }
            at = 1;
        }
        while (at < text.length()) {
            if (text.charAt(at) == ':') {
                if (gap != NONE) {
                    return null;
                }
                gap = filled;
                at++;
                continue;
            }
            int end = endOfGroup(text, at);
            if (end < text.length() && text.charAt(end) == '.') {
                byte[] v4 = filled > V6_BYTES - V4_BYTES ? null : v4(text, at);
                if (v4 == null) {
                    return null;
                }
                System.arraycopy(v4, 0, bytes, filled, V4_BYTES);
                filled += V4_BYTES;
                break;
            }
            if (end == at || end - at > 4 || filled == V6_BYTES) {
                return null;
            }
            int group = group(text, at, end);
            bytes[filled++] = (byte) (group >> 8);
            bytes[filled++] = (byte) group;
            at = end;
            if (at < text.length() && (text.charAt(at++) != ':' || at == text.length())) {
                return null;
            }
        }
        return spread(bytes, filled, gap);
    }

    /** Fills the gap with zeros. It stands for one group or more. */
    private static byte @Nullable [] spread(byte[] bytes, int filled, int gap) {
        if (gap == NONE) {
            return filled == V6_BYTES ? bytes : null;
        }
        if (filled == V6_BYTES) {
            return null;
        }
        var all = new byte[V6_BYTES];
        System.arraycopy(bytes, 0, all, 0, gap);
        System.arraycopy(bytes, gap, all, V6_BYTES - (filled - gap), filled - gap);
        return all;
    }

    private static int endOfGroup(CharSequence text, int start) {
        int end = start;
        while (end < text.length() && Character.digit(text.charAt(end), 16) >= 0 && text.charAt(end) < 128) {
            end++;
        }
        return end;
    }

    private static int group(CharSequence text, int start, int end) {
        int value = 0;
        for (int i = start; i < end; i++) {
            value = (value << 4) | Character.digit(text.charAt(i), 16);
        }
        return value;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
