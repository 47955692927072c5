package io.millrace.server.http;

import org.jspecify.annotations.Nullable;

/** Finds parts of a path that servers read differently (RFC 3986 sections 5.2.4 and 6.2.2). */
final class PathCheck {
    private static final String DOTS = "a segment of dots";
    private static final String EMPTY = "an empty segment";
    private static final String ENCODING = "a percent-encoding that is none";
    private static final String UTF_8 = "an encoding of what is not UTF-8";
    /** Some servers decode a path that another server has already decoded. */
    private static final int MAX_DECODINGS = 3;

    private PathCheck() {}

    /** What is ambiguous in the raw path, or null. */
    static @Nullable String ambiguity(String path) {
        String found = inSegments(path);
        String decoded = path;
        for (int i = 0; found == null && i < MAX_DECODINGS && decoded.indexOf('%') >= 0; i++) {
            String next = decode(decoded);
            if (next == null) {
                // After the first decoding there may be another percent sign.
                return i == 0 ? ENCODING : null;
            }
            if (i == 0 && hasOverlong(next)) {
                return UTF_8;
            }
            found = inSegments(next);
            decoded = next;
        }
        return found;
    }

    /**
     * Whether a character has a longer form than UTF-8 allows. Some servers accept such a form (RFC 3629 section 3).
     */
    private static boolean hasOverlong(String octets) {
        for (int i = 0; i < octets.length(); i++) {
            char second = i + 1 < octets.length() ? octets.charAt(i + 1) : 0;
            boolean continued = second >= 0x80 && second < 0xc0;
            switch (octets.charAt(i)) {
                case 0xc0, 0xc1 -> {
                    return true;
                }
                case 0xe0 -> {
                    if (continued && second < 0xa0) {
                        return true;
                    }
                }
                case 0xf0 -> {
                    if (continued && second < 0x90) {
                        return true;
                    }
                }
                default -> {
                    // A form of its own length.
                }
            }
        }
        return false;
    }

    /** Each octet as a character, or null if a percent sign is not followed by an octet. */
    private static @Nullable String decode(String text) {
        var decoded = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '%') {
                int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
                int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
                if (high < 0 || low < 0) {
                    return null;
                }
                c = (char) (high << 4 | low);
                i += 2;
            }
            decoded.append(c);
        }
        return decoded.toString();
    }

    private static @Nullable String inSegments(String path) {
        int start = 1;
        for (int i = 1; i <= path.length(); i++) {
            if (i == path.length() || path.charAt(i) == '/' || path.charAt(i) == '\\') {
                boolean last = i == path.length();
                if (i == start && !last) {
                    return EMPTY;
                }
                if (isDots(path, start, i)) {
                    return DOTS;
                }
                start = i + 1;
            }
        }
        return null;
    }

    /** Whether there are only dots and blanks before parameters. Some servers remove the blanks. */
    private static boolean isDots(String path, int start, int end) {
        boolean dot = false;
        for (int i = start; i < end && path.charAt(i) != ';'; i++) {
            char c = path.charAt(i);
            if (c == '.') {
                dot = true;
            } else if (c > ' ') {
                return false;
            }
        }
        return dot;
    }
}
