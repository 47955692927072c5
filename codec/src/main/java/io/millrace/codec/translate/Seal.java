package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * An opaque value that a provider sends with reasoning or with a tool call, and wants back unchanged: a thinking
 * signature, encrypted reasoning, a thought signature. Providers of other dialects never get it.
 *
 * @param origin the dialect that understands it
 * @param kind the dialect's own word for the kind of value, without a dot; may be empty
 * @param value the value of the provider
 */
public record Seal(Dialect origin, String kind, String value) {
    private static final String MARK = "mr1.";

    /** The seal as a string that {@link #decode} can read, for clients that send such a field back unchanged. */
    public String encode() {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        return MARK + origin.name() + "." + kind + "."
                + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** The seal from which {@link #encode} made this text; {@code null} if it did not make it. */
    public static @Nullable Seal decode(String text) {
        if (!text.startsWith(MARK)) {
            return null;
        }
        String[] parts = text.substring(MARK.length()).split("\\.", 3);
        if (parts.length < 3) {
            return null;
        }
        try {
            byte[] value = Base64.getUrlDecoder().decode(parts[2]);
            return new Seal(Dialect.valueOf(parts[0]), parts[1], new String(value, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
