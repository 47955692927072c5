package io.millrace.server.config;

import java.util.Objects;

/**
 * A key that the relay sends in place of the client's own.
 *
 * @param header the request header that carries it
 * @param prefix what stands before the key, such as {@code "Bearer "}, or nothing
 * @param secret the key
 */
public record Credential(String header, String prefix, Secret secret) {
    public Credential {
        Checks.headerName("header", header);
        Objects.requireNonNull(prefix, "prefix");
        Objects.requireNonNull(secret, "secret");
    }

    /** The header's whole value. Never log it. */
    public String value() {
        return prefix + secret.reveal();
    }

    /** Everything but the key. */
    @Override
    public String toString() {
        return header + ": " + prefix + secret;
    }
}
