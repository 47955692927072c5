package io.millrace.server.config;

import java.util.Objects;

/** A key that must not be seen. Only {@link #reveal} gives it; {@code toString} says where it came from. */
public final class Secret {
    private final String value;
    private final String source;

    private Secret(String value, String source) {
        this.value = Objects.requireNonNull(value);
        this.source = Objects.requireNonNull(source);
    }

    /**
     * A key and where it came from.
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

    /** The key itself. Give it to the wire and to nothing else. */
    public String reveal() {
        return value;
    }

    /** Where it came from, such as {@code env: OPENAI_API_KEY}. */
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
