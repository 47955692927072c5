package io.millrace.server.config;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A model server, or a server that uses the same API.
 *
 * @param name its name in routes
 * @param urls the URLs of its origins, at least one, any of which may serve a request: all http or all https, with a
 *     host, without user, query or fragment; the path is prefixed to each request's path. {@code
 *     http://unix:/run/model.sock:/v1} is the unix socket {@code /run/model.sock}, with the path {@code /v1}
 * @param credential sent in place of the client's own; null passes the client's own on
 * @param ca a PEM file of the certificates to trust; null trusts the system's
 * @param caDigest the digest of the content of {@code ca} when the configuration was read, so that a reload notices
 *     other content; null if it was not read
 * @param maxConnections the most connections per event loop
 * @param idle the time after which an unused pooled connection is closed
 * @param maxConcurrent the most requests in progress at all its origins; a further request uses the route's next
 *     target; 0 means no limit
 * @param health the rules that eject an origin
 * @param retryBudget the limit of its retries
 * @param dialects the dialects that it has; requests in another dialect are translated to the first. Empty passes every
 *     dialect on
 * @param model the model for translated requests and for requests without a model; null keeps the client's
 * @param http the version of HTTP of its connections
 */
public record Upstream(
        String name,
        List<URI> urls,
        @Nullable Credential credential,
        @Nullable Path ca,
        @Nullable String caDigest,
        int maxConnections,
        Duration idle,
        int maxConcurrent,
        Health health,
        RetryBudget retryBudget,
        List<Dialect> dialects,
        @Nullable String model,
        Http http)
        implements Settings<Upstream, Upstream.Builder> {
    private static final String SOCKET = "unix:";

    public Upstream {
        Checks.notBlank("name", name);
        urls = List.copyOf(urls);
        checkUrls(urls);
        Checks.range("maxConnections", maxConnections, 1, 1_000_000);
        Checks.positive("idle", idle);
        Checks.range("maxConcurrent", maxConcurrent, 0, 1_000_000);
        dialects = List.copyOf(dialects);
        if (dialects.contains(Dialect.UNKNOWN)) {
            throw new IllegalArgumentException("dialect: unknown (expected: chat, responses, messages or gemini)");
        }
        for (Dialect dialect : dialects) {
            if (Collections.frequency(dialects, dialect) > 1) {
                throw new IllegalArgumentException("dialect: " + dialect + " twice (expected: each once)");
            }
        }
        if (model != null) {
            Checks.notBlank("model", model);
        }
    }

    /** An upstream with defaults that passes the client's own credentials on. */
    public static Upstream of(String name, URI url) {
        return of(name, List.of(url));
    }

    /** An upstream of several origins with defaults that passes the client's own credentials on. */
    public static Upstream of(String name, List<URI> urls) {
        var upstream = new Builder();
        upstream.name = name;
        upstream.urls = urls;
        return Builders.build(Upstream.class, upstream);
    }

    /** The first origin's URL. Most upstreams have only one origin. */
    public URI url() {
        return urls.get(0);
    }

    /** This upstream with only the origin at {@code index}. */
    public Upstream origin(int index) {
        return urls.size() == 1 && index == 0 ? this : with(u -> u.urls = List.of(urls.get(index)));
    }

    /** Whether connections are encrypted. */
    public boolean tls() {
        return url().getScheme().equalsIgnoreCase("https");
    }

    /** The host to connect to at the first origin, IPv6 without brackets; {@code unix:/path} for a unix socket. */
    public String host() {
        return isSocket(url()) ? SOCKET + socketOf(url()) : firstAuthority().name();
    }

    /** The port to connect to at the first origin; the scheme's if the URL names none. */
    public int port() {
        int port = firstAuthority().port();
        return port >= 0 ? port : tls() ? 443 : 80;
    }

    /**
     * The raw path that is prefixed to each request's path at the first origin, without a slash at its end; empty if
     * there is none.
     */
    public String basePath() {
        String path = isSocket(url()) ? pathOfSocket(url()) : url().getRawPath();
        int end = path.length();
        while (end > 0 && path.charAt(end - 1) == '/') {
            end--;
        }
        return path.substring(0, end);
    }

    /** The value of {@code Host} for the first origin: the port only where it is not the scheme's. */
    public String authority() {
        if (isSocket(url())) {
            return "localhost";
        }
        String host = firstAuthority().host();
        return port() == (tls() ? 443 : 80) ? host : host + ":" + port();
    }

    /**
     * The dialect to which a request in {@code dialect} must be translated, or null if it can be passed on.
     *
     * @param dialect of the client; {@link Dialect#UNKNOWN} is always passed on
     */
    public @Nullable Dialect translates(Dialect dialect) {
        boolean passes = dialects.isEmpty() || dialect == Dialect.UNKNOWN || dialects.contains(dialect);
        return passes ? null : dialects.get(0);
    }

    /** The dialect for requests without a dialect: the first of its dialects, else that of its provider, else Chat. */
    public Dialect mainDialect() {
        return dialects.isEmpty() ? ProviderKind.of(url()).dialect : dialects.get(0);
    }

    private static boolean isSocket(URI url) {
        return SOCKET.equals(url.getRawAuthority());
    }

    /** The path of the unix socket, which ends before a colon. */
    private static String socketOf(URI url) {
        String raw = url.getRawPath();
        int end = raw.indexOf(':');
        return URI.create(end < 0 ? raw : raw.substring(0, end)).getPath();
    }

    private static String pathOfSocket(URI url) {
        int end = url.getRawPath().indexOf(':');
        return end < 0 ? "" : url.getRawPath().substring(end + 1);
    }

    private static void checkUrls(List<URI> urls) {
        if (urls.isEmpty()) {
            throw new IllegalArgumentException("urls: [] (expected: at least one)");
        }
        urls.forEach(Upstream::checkUrl);
        if (urls.stream().distinct().count() < urls.size()) {
            throw new IllegalArgumentException("urls: one of them twice (expected: each once)");
        }
        if (urls.stream()
                        .map(url -> url.getScheme().toLowerCase(Locale.ROOT))
                        .distinct()
                        .count()
                > 1) {
            throw new IllegalArgumentException("urls: http and https (expected: one of them for all)");
        }
    }

    private static void checkUrl(URI url) {
        String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        Authority authority = Authority.of(url);
        if (!(scheme.equals("http") || scheme.equals("https")) || authority == null) {
            throw new IllegalArgumentException("url: " + shown(url) + " (expected: http://host:port or https://host)");
        }
        if (isSocket(url)) {
            checkSocket(url, scheme);
        }
        if (url.getRawUserInfo() != null) {
            throw new IllegalArgumentException(
                    "url: " + shown(url) + " (expected: no user or password; use credential)");
        }
        if (url.getRawQuery() != null || url.getRawFragment() != null) {
            throw new IllegalArgumentException("url: " + shown(url) + " (expected: no query and no fragment)");
        }
        int port = authority.port();
        if (port == 0 || port > 65535) {
            throw new IllegalArgumentException("url: " + shown(url) + " (expected: port 1 to 65535)");
        }
    }

    private static void checkSocket(URI url, String scheme) {
        String path = pathOfSocket(url);
        boolean isPath = path.isEmpty() || path.startsWith("/");
        if (!scheme.equals("http") || socketOf(url).length() < 2 || !isPath) {
            throw new IllegalArgumentException("url: " + url + " (expected: such as http://unix:/run/model.sock:/v1)");
        }
    }

    private Authority firstAuthority() {
        return requireNonNull(Authority.of(url()));
    }

    /** The URL without parts that may be secret. */
    private static String shown(URI url) {
        Authority authority = Authority.of(url);
        return authority == null ? "no host in it" : url.getScheme() + "://" + authority.host();
    }

    /**
     * Limits the retries of an upstream in relation to its requests, so that retries do not make an outage worse.
     *
     * @param ratio the retries as a fraction of the requests of the last ten seconds
     * @param perSecond the additional retries per second, as a mean of the last ten seconds, so that a quiet upstream
     *     can also be retried
     */
    public record RetryBudget(double ratio, int perSecond) implements Settings<RetryBudget, RetryBudget.Builder> {
        /** A fifth of the requests, and one a second. */
        public static final RetryBudget DEFAULT = Builders.build(RetryBudget.class, new Builder());

        public RetryBudget {
            Checks.fraction("ratio", ratio);
            Checks.range("perSecond", perSecond, 0, 1_000_000);
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public double ratio = 0.2;
            public int perSecond = 1;
        }
    }

    /**
     * The version of HTTP for an upstream.
     *
     * @param version of HTTP
     * @param streams the most requests at once on one connection of HTTP/2; the upstream may allow fewer
     */
    public record Http(Version version, int streams) implements Settings<Http, Http.Builder> {
        /** HTTP/1.1. With HTTP/2, 20 requests on a connection. */
        public static final Http DEFAULT = Builders.build(Http.class, new Builder());

        public Http {
            Objects.requireNonNull(version, "version");
            Checks.range("http2.streams", streams, 1, 1000);
        }

        /** The version that a connection uses. */
        public enum Version {
            /** HTTP/1.1. */
            HTTP_1_1("1.1"),
            /** With TLS, the version that the upstream chooses by ALPN; otherwise HTTP/1.1. */
            AUTO("auto"),
            /** HTTP/2: chosen by ALPN with TLS, assumed without TLS. */
            HTTP_2("2");

            private final String label;

            Version(String label) {
                this.label = label;
            }

            /** The text in a configuration. */
            public String label() {
                return label;
            }
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public Version version = Version.HTTP_1_1;
            public int streams = 20;
        }
    }

    /**
     * The host and port of a URL. Names may have underscores, as names of containers often do. {@link URI} would find
     * neither host nor port in such a URL.
     *
     * @param host the host as in the URL, IPv6 in brackets
     * @param port the port; -1 if the URL has none
     */
    public record Authority(String host, int port) {
        private static final Pattern NAME = Pattern.compile("([A-Za-z0-9._-]+)(?::([0-9]{0,5}))?");

        /** The authority of {@code url}, or null if it has no host. */
        public static @Nullable Authority of(URI url) {
            if (url.getHost() != null) {
                return new Authority(url.getHost(), url.getPort());
            }
            Matcher name = NAME.matcher(url.getRawAuthority() == null ? "" : url.getRawAuthority());
            if (!name.matches()) {
                return null;
            }
            boolean without = name.group(2) == null || name.group(2).isEmpty();
            return new Authority(name.group(1), without ? -1 : Integer.parseInt(name.group(2)));
        }

        /** The host in the form that a resolver takes: IPv6 without brackets. */
        public String name() {
            return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public String name = "";
        public List<URI> urls = List.of();
        public @Nullable Credential credential;
        public @Nullable Path ca;
        public @Nullable String caDigest;
        public int maxConnections = 10_000;
        /** Less than 60 s, after which many servers and load balancers close an idle connection. */
        public Duration idle = Duration.ofSeconds(55);

        public int maxConcurrent;
        public Health health = Health.DEFAULT;
        public RetryBudget retryBudget = RetryBudget.DEFAULT;
        public List<Dialect> dialects = List.of();
        public @Nullable String model;
        public Http http = Http.DEFAULT;
    }
}
