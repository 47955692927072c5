package io.millrace.server.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * A model server, or something that speaks like one.
 *
 * @param name how routes refer to it
 * @param url http or https, with a host, without user, query or fragment; its path is prefixed to every request's
 * @param credential sent in place of the client's own; null passes the client's own through
 * @param ca certificates to trust instead of the system's, a PEM file; null trusts the system's
 * @param caDigest of the content of {@code ca} when the configuration was read: other content makes another upstream, so
 *     that a reload takes it up; null if it was not read
 * @param maxConnections per event loop
 * @param idle after which an unused pooled connection is closed
 */
public record Upstream(
        String name, URI url, Credential credential, Path ca, String caDigest, int maxConnections, Duration idle) {
    /** Connections per event loop: {@value}. */
    public static final int DEFAULT_MAX_CONNECTIONS = 10_000;

    /** Below the 60 s after which many servers and load balancers close an idle connection. */
    public static final Duration DEFAULT_IDLE = Duration.ofSeconds(55);

    public Upstream {
        Checks.notBlank("name", name);
        checkUrl(url);
        Checks.range("maxConnections", maxConnections, 1, 1_000_000);
        Checks.positive("idle", idle);
    }

    /** An upstream with defaults that passes the client's own credentials through. */
    public static Upstream of(String name, URI url) {
        return new Upstream(name, url, null, null, null, DEFAULT_MAX_CONNECTIONS, DEFAULT_IDLE);
    }

    /** Whether the connection is encrypted. */
    public boolean tls() {
        return url.getScheme().equalsIgnoreCase("https");
    }

    /** The host to connect to; IPv6 without brackets. */
    public String host() {
        String host = url.getHost();
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    /** The port to connect to; the scheme's if the URL names none. */
    public int port() {
        if (url.getPort() >= 0) {
            return url.getPort();
        }
        return tls() ? 443 : 80;
    }

    /** The raw path before every request's, without a slash at its end; empty if there is none. */
    public String basePath() {
        String path = url.getRawPath();
        int end = path.length();
        while (end > 0 && path.charAt(end - 1) == '/') {
            end--;
        }
        return path.substring(0, end);
    }

    /** The value of {@code Host}: the port only where it is not the scheme's. */
    public String authority() {
        return port() == (tls() ? 443 : 80) ? url.getHost() : url.getHost() + ":" + port();
    }

    /** This with another {@code credential}. */
    public Upstream withCredential(Credential credential) {
        return new Upstream(name, url, credential, ca, caDigest, maxConnections, idle);
    }

    /** This with another {@code ca} that was not read yet. */
    public Upstream withCa(Path ca) {
        return withCa(ca, null);
    }

    /** This with another {@code ca} and the digest of what is in it. */
    Upstream withCa(Path ca, String caDigest) {
        return new Upstream(name, url, credential, ca, caDigest, maxConnections, idle);
    }

    /** This with another {@code maxConnections}. */
    public Upstream withMaxConnections(int maxConnections) {
        return new Upstream(name, url, credential, ca, caDigest, maxConnections, idle);
    }

    /** This with another {@code idle}. */
    public Upstream withIdle(Duration idle) {
        return new Upstream(name, url, credential, ca, caDigest, maxConnections, idle);
    }

    private static void checkUrl(URI url) {
        String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        if (!(scheme.equals("http") || scheme.equals("https")) || url.getHost() == null) {
            throw new IllegalArgumentException("url: " + shown(url) + " (expected: http://host:port or https://host)");
        }
        if (url.getRawUserInfo() != null) {
            throw new IllegalArgumentException(
                    "url: " + shown(url) + " (expected: no user or password; use credential)");
        }
        if (url.getRawQuery() != null || url.getRawFragment() != null) {
            throw new IllegalArgumentException("url: " + shown(url) + " (expected: no query and no fragment)");
        }
        if (url.getPort() == 0 || url.getPort() > 65535) {
            throw new IllegalArgumentException("url: " + shown(url) + " (expected: port 1 to 65535)");
        }
    }

    /** The URL without what may be secret in it. */
    private static String shown(URI url) {
        return url.getHost() == null ? "no host in it" : url.getScheme() + "://" + url.getHost();
    }
}
