package io.millrace.server.config;

import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * A key that the relay sends in place of the client's own.
 *
 * @param header the request header with the key
 * @param prefix the text before the key, such as {@code "Bearer "}, or empty
 * @param secret the key
 */
public record Credential(String header, String prefix, Secret secret) {
    /**
     * Fields about the connection, or about the form of the message (RFC 9110 section 7.6.1). None of them can hold a
     * key.
     */
    private static final Set<String> TAKEN = Set.of(
            "accept-encoding",
            "connection",
            "content-encoding",
            "content-length",
            "content-type",
            "expect",
            "host",
            "keep-alive",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade");

    public Credential {
        checkHeader(header);
        checkPrefix(prefix);
        Objects.requireNonNull(secret, "secret");
    }

    public static void checkHeader(String header) {
        Checks.headerName("header", header);
        if (TAKEN.contains(header.toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException("header: '" + header + "' (expected: one that can carry a key)");
        }
    }

    public static void checkPrefix(String prefix) {
        if (!prefix.chars().allMatch(c -> c >= 0x20 && c < 0x7f)) {
            throw new IllegalArgumentException("prefix: holds control or non-ASCII characters (expected: one line)");
        }
    }

    /** The header's whole value. Never log it. */
    public String value() {
        return prefix + secret.reveal();
    }

    /** Everything except the key. */
    @Override
    public String toString() {
        return header + ": " + prefix + secret;
    }

    /** A key that must not be shown. Only {@link #reveal} returns it; {@code toString} returns its source. */
    public static final class Secret {
        private final String value;
        private final String source;

        private Secret(String value, String source) {
            this.value = Objects.requireNonNull(value);
            this.source = Objects.requireNonNull(source);
        }

        /**
         * Makes a secret from a key and its source.
         *
         * @param value the key: not blank, and without characters that a header value cannot have
         * @param source such as {@code env: OPENAI_API_KEY}; may be shown
         * @throws IllegalArgumentException if it cannot be sent in a header; the message does not contain it
         */
        public static Secret of(String value, String source) {
            if (value.isBlank()) {
                throw new IllegalArgumentException(source + ": is empty (expected: a key)");
            }
            if (!value.chars().allMatch(c -> c >= 0x20 && c < 0x7f)) {
                throw new IllegalArgumentException(
                        source + ": holds control or non-ASCII characters (expected: one line)");
            }
            return new Secret(value, source);
        }

        /** The key itself. Only for use in a request. */
        public String reveal() {
            return value;
        }

        /** The source of the key, such as {@code env: OPENAI_API_KEY}. */
        public String source() {
            return source;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Secret that && value.equals(that.value) && source.equals(that.source);
        }

        @Override
        public int hashCode() {
            return source.hashCode();
        }

        /** The source; never the key. */
        @Override
        public String toString() {
            return "*** (" + source + ")";
        }
    }
}
