package io.millrace.server.config;

import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * A key that the relay sends in place of the client's own.
 *
 * @param header the request header that carries it
 * @param prefix what stands before the key, such as {@code "Bearer "}, or nothing
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
}
