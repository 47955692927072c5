package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * An opaque value that a provider sends with reasoning or a tool call and wants back unchanged: a thinking signature,
 * encrypted reasoning, a thought signature. It is of no use to a provider of another dialect, which never gets it.
 *
 * @param origin the dialect that understands it
 * @param kind tells apart what one dialect has several of; of that dialect's own choosing, without a dot, may be empty
 * @param value what the provider sent
 */
public record Seal(Dialect origin, String kind, String value) {
    private static final String MARK = "mr1.";

    /** As one string that {@link #decode} knows again, for a client that sends back what it was given in such a field. */
    public String encode() {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        return MARK + origin.name() + "." + kind + "."
                + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** The seal that {@link #encode} made this of, or {@code null} if it is something else. */
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
