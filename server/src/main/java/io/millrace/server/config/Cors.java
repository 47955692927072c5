package io.millrace.server.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * The pages of other origins that may call the relay from a browser (Fetch Standard, section 3.3). If there are any,
 * the relay answers preflights itself, and drops an upstream's fields about origins.
 *
 * @param origins as browsers send them, such as {@code https://app.example.com}; {@code *} allows any; empty allows
 *     none
 * @param credentials whether pages may send credentials such as cookies; never with {@code *}
 * @param maxAge how long a browser may remember the answer to a preflight
 */
public record Cors(List<String> origins, boolean credentials, Duration maxAge) implements Settings<Cors, Cors.Builder> {
    /** Any origin. */
    public static final String ANY = "*";
    /** The relay allows no page of another origin. An upstream's fields are passed on. */
    public static final Cors OFF = Builders.build(Cors.class, new Builder());

    public Cors {
        origins = List.copyOf(origins);
        origins.forEach(Cors::checkOrigin);
        Checks.notNegative("maxAge", maxAge);
        if (credentials && origins.contains(ANY)) {
            throw new IllegalArgumentException(
                    "credentials: true goes with no origins: * (expected: the origins of your pages)");
        }
    }

    /** Whether the relay decides which pages may call. */
    public boolean on() {
        return !origins.isEmpty();
    }

    /** Whether every origin is allowed. */
    public boolean any() {
        return origins.contains(ANY);
    }

    /** Whether the pages of {@code origin} are allowed. */
    public boolean admits(String origin) {
        return any() || origins.contains(origin);
    }

    /** Browsers' values are compared byte by byte (RFC 6454 section 6.2), so another spelling would never match. */
    private static void checkOrigin(String origin) {
        if (origin.equals(ANY)) {
            return;
        }
        try {
            URI uri = new URI(origin);
            String scheme = String.valueOf(uri.getScheme());
            boolean standardPort = uri.getPort() == (scheme.equals("https") ? 443 : 80);
            if (uri.getHost() != null
                    && !standardPort
                    && origin.equals(scheme + "://" + uri.getRawAuthority())
                    && uri.getRawUserInfo() == null
                    && origin.equals(origin.toLowerCase(Locale.ROOT))) {
                return;
            }
        } catch (URISyntaxException e) {
            // The error is reported below.
        }
        throw new IllegalArgumentException("origins: '" + origin
                + "' (expected: as browsers send it, such as https://app.example.com or http://localhost:3000, or *)");
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public List<String> origins = List.of();
        public boolean credentials;
        public Duration maxAge = Duration.ofMinutes(10);
    }
}
