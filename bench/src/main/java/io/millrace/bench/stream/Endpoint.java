package io.millrace.bench.stream;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Upstream.Authority;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The endpoint of requests.
 *
 * @param host a name or an address literal, without brackets
 * @param port of TCP
 * @param tls whether connections use TLS
 * @param path the path of requests, with its query
 * @param dialect the dialect of answers
 */
public record Endpoint(String host, int port, boolean tls, String path, Dialect dialect) {
    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;

    /**
     * The endpoint of a base URL as SDKs expect it, such as {@code http://host:port/v1}. A missing version
     * ({@code /v1}, for Gemini {@code /v1beta}) is added if the URL has no path, or if the dialect's SDKs add it
     * (Messages, Gemini). A URL that ends with the operation stays as it is.
     *
     * @param dialect null to read it from the URL's end, with Chat as the default
     * @param model the model in the path of Gemini
     * @throws IllegalArgumentException if it is no http or https URL with a host, or the dialect is unknown
     */
    public static Endpoint of(String base, @Nullable Dialect dialect, String model) {
        URI uri = parse(base);
        boolean tls = uri.getScheme().equalsIgnoreCase("https");
        var authority = requireNonNull(Authority.of(uri));
        int port = authority.port() >= 0 ? authority.port() : tls ? HTTPS_PORT : HTTP_PORT;
        String path = uri.getRawPath() == null ? "" : uri.getRawPath();
        var named = Dialect.ofPath(path);
        var spoken = dialect != null ? dialect : named == Dialect.UNKNOWN ? Dialect.CHAT : named;
        String target = named == spoken ? path : trimmed(path) + operation(spoken, trimmed(path), model);
        String query = uri.getRawQuery();
        if (query == null && spoken == Dialect.GEMINI) {
            query = "alt=sse";
        }
        return new Endpoint(authority.name(), port, tls, query == null ? target : target + "?" + query, spoken);
    }

    /** Whether requests have a text as their prompt, and no messages. */
    public boolean isLegacyCompletion() {
        return dialect == Dialect.CHAT && !path.contains("/chat/");
    }

    /** The value of the header field {@code Host}. */
    public String authority() {
        String name = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return port == (tls ? HTTPS_PORT : HTTP_PORT) ? name : name + ":" + port;
    }

    /** The URL of requests, without its query, which may contain a key. */
    public String url() {
        return (tls ? "https://" : "http://") + authority() + bare(path);
    }

    /**
     * The header fields that the dialect's SDKs add to those of HTTP.
     *
     * @param key may be null
     */
    public Map<String, String> headers(@Nullable String key) {
        var headers = new LinkedHashMap<String, String>();
        if (dialect == Dialect.MESSAGES) {
            headers.put("anthropic-version", "2023-06-01");
        }
        if (key != null) {
            headers.put(dialect.keyHeader(), dialect.keyValue(key));
        }
        return headers;
    }

    private static URI parse(String base) {
        URI uri;
        try {
            uri = URI.create(base.contains("://") ? base : "http://" + base);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("url: " + base + " (expected: http://HOST:PORT/PATH)", e);
        }
        boolean http = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
        if (!http || Authority.of(uri) == null || uri.getUserInfo() != null) {
            throw new IllegalArgumentException("url: " + base + " (expected: http or https, and a host)");
        }
        return uri;
    }

    private static String trimmed(String path) {
        int end = path.length();
        while (end > 0 && path.charAt(end - 1) == '/') {
            end--;
        }
        return path.substring(0, end);
    }

    /** The operation without its query. Without its version, too, if the base URL has a path that replaces it. */
    private static String operation(Dialect dialect, String base, String model) {
        String operation = bare(dialect.operation(model));
        boolean versioned = switch (dialect) {
            case CHAT, RESPONSES, UNKNOWN -> !base.isEmpty();
            case MESSAGES -> base.endsWith("/v1");
            case GEMINI -> base.matches(".*/v1[a-z0-9]*");
        };
        return versioned ? operation.substring(operation.indexOf('/', 1)) : operation;
    }

    private static String bare(String path) {
        int query = path.indexOf('?');
        return query < 0 ? path : path.substring(0, query);
    }
}
