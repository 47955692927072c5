package io.millrace.server.config;

import static java.util.Objects.requireNonNull;

import io.millrace.server.config.Credential.Secret;
import java.net.URI;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A Redis server, or one that speaks its protocol, such as Valkey.
 *
 * @param url {@code redis://HOST:PORT/DATABASE}, {@code rediss://} for TLS, or {@code unix:/PATH}; without a user or a
 *     password
 * @param user of the password; empty is Redis' default user
 * @param password null if the server asks for none
 * @param ca certificates to trust instead of the system's, a PEM file; null trusts the system's
 * @param caDigest of the content of {@code ca} when the configuration was read; null if it was not read
 * @param prefix before the name of each key
 */
public record RedisSettings(
        URI url,
        String user,
        @Nullable Secret password,
        @Nullable Path ca,
        @Nullable String caDigest,
        String prefix) implements Settings<RedisSettings, RedisSettings.Builder> {
    private static final int PORT = 6379;
    private static final Set<String> SCHEMES = Set.of("redis", "rediss", "unix");
    private static final Pattern DATABASE = Pattern.compile("/?|/[0-9]{1,5}");
    private static final Pattern PREFIX = Pattern.compile("[\\x21-\\x7e]{0,64}");
    private static final String EXPECTED = " (expected: redis://HOST:PORT, rediss://HOST:PORT or unix:/PATH)";

    /** On this machine, without a password. */
    public static final RedisSettings DEFAULT = Builders.build(RedisSettings.class, new Builder());

    public RedisSettings {
        checkUrl(url);
        if (!PREFIX.matcher(prefix).matches()) {
            throw new IllegalArgumentException("prefix: '" + prefix + "' (expected: up to 64 visible characters)");
        }
    }

    /**
     * The URL of a server.
     *
     * @throws IllegalArgumentException if it is none; the message does not repeat it
     */
    public static URI parse(String text) {
        try {
            return URI.create(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("url: is no URL" + EXPECTED, e);
        }
    }

    /** The path of the unix socket; null if it is reached over TCP. */
    public @Nullable Path socket() {
        return scheme(url).equals("unix") ? Path.of(url.getPath()) : null;
    }

    /** Whether the connection is encrypted. */
    public boolean tls() {
        return scheme(url).equals("rediss");
    }

    /** The host, IPv6 without brackets. To be asked only if there is no {@link #socket}. */
    public String host() {
        String host = requireNonNull(url.getHost());
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    /** The port; Redis' own if the URL names none. */
    public int port() {
        return url.getPort() < 0 ? PORT : url.getPort();
    }

    /** The number of the database. */
    public int database() {
        String path = socket() == null ? url.getPath() : "";
        return path.length() < 2 ? 0 : Integer.parseInt(path.substring(1));
    }

    /** Messages do not repeat the URL, because people put passwords there. */
    private static void checkUrl(URI url) {
        if (!SCHEMES.contains(scheme(url))) {
            throw new IllegalArgumentException("url: has another scheme" + EXPECTED);
        }
        if (url.getRawAuthority() != null && url.getRawAuthority().contains("@")) {
            throw new IllegalArgumentException(
                    "url: has a user or password (expected: credential: {env: NAME} or credential: {file: /path})");
        }
        if (url.getRawQuery() != null || url.getRawFragment() != null) {
            throw new IllegalArgumentException("url: has a query or fragment" + EXPECTED);
        }
        if (scheme(url).equals("unix")) {
            if (url.getPath() == null || url.getPath().length() < 2 || url.getRawAuthority() != null) {
                throw new IllegalArgumentException("url: names no socket" + EXPECTED);
            }
        } else if (url.getHost() == null || url.getPort() == 0 || url.getPort() > 65_535) {
            throw new IllegalArgumentException("url: names no host and port" + EXPECTED);
        } else if (!DATABASE.matcher(url.getRawPath()).matches()) {
            throw new IllegalArgumentException("url: has a path that is no number of a database" + EXPECTED);
        }
    }

    private static String scheme(URI url) {
        return url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public URI url = URI.create("redis://127.0.0.1:" + PORT);
        public String user = "";
        public @Nullable Secret password;
        public @Nullable Path ca;
        public @Nullable String caDigest;
        public String prefix = "millrace:";
    }
}
