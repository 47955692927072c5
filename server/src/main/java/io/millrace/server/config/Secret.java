package io.millrace.server.config;

import java.util.Objects;

/** A key that must not be shown. Only {@link #reveal} returns it; {@code toString} returns its source. */
public final class Secret {
    private final String value;
    private final String source;

    private Secret(String value, String source) {
        this.value = Objects.requireNonNull(value);
        this.source = Objects.requireNonNull(source);
    }

    /**
     * Makes a secret from a key and its source.
     *
     * @param value the key: not blank, and without the characters that no header value may hold
     * @param source such as {@code env: OPENAI_API_KEY}; may be shown
     * @throws IllegalArgumentException if it cannot be sent in a header; the message does not hold it
     */
    public static Secret of(String value, String source) {
        if (value.isBlank()) {
            throw new IllegalArgumentException(source + ": is empty (expected: a key)");
        }
        if (!value.chars().allMatch(c -> c >= 0x20 && c < 0x7f)) {
            throw new IllegalArgumentException(source + ": holds control or non-ASCII characters (expected: one line)");
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
