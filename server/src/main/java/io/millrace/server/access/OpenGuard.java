package io.millrace.server.access;

import io.millrace.server.config.Cors;
import io.millrace.server.config.RelayConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.NetUtil;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Keeps web pages from spending the keys that a relay adds. A page may not reach the relay under a name of its own
 * (DNS rebinding), and may not call it from another site.
 */
final class OpenGuard {
    private static final List<String> FORWARDED = List.of("x-forwarded-for", "forwarded", "x-real-ip", "via");

    private OpenGuard() {}

    /**
     * Why the request is refused, or null if it is not.
     *
     * @param evenGet whether a GET costs something. A page of another site can cause a GET with an image or a link.
     *     Browsers send no origin with it, but they send {@code Sec-Fetch-Site} (Fetch Metadata). They send this only
     *     to HTTPS and loopback, and old browsers do not send it. Without it, a browser's GET must be from an {@code
     *     EventSource} of a page of the relay's own origin
     */
    static @Nullable String violation(HttpRequest request, RelayConfig config, boolean evenGet) {
        String violation = violation(request, config.allowOpen(), config.cors());
        if (violation != null || !evenGet || request.headers().contains(HttpHeaderNames.ORIGIN)) {
            return violation;
        }
        String site = request.headers().get("sec-fetch-site");
        if (site != null) {
            return site.equals("cross-site") || site.equals("same-site")
                    ? "This relay adds its own keys and refuses requests from the pages of another site."
                    : null;
        }
        return request.method().equals(HttpMethod.GET) && isBrowser(request) && !isOwnEventSource(request, config)
                ? "This relay adds its own keys, and this browser does not say which site a GET comes from: use POST."
                : null;
    }

    private static @Nullable String violation(HttpRequest request, boolean open, Cors cors) {
        String host = request.headers().get(HttpHeaderNames.HOST);
        if (!open && (host == null || !isLoopback(nameOf(host)))) {
            return "This relay adds its own keys and answers only to a loopback Host such as localhost"
                    + " (start it with --allow-open to change that).";
        }
        for (String origin : request.headers().getAll(HttpHeaderNames.ORIGIN)) {
            if (!cors.admits(origin) && !isOwn(origin, host, open)) {
                return "This relay adds its own keys and refuses requests from the pages of another origin.";
            }
        }
        return null;
    }

    /**
     * Why the request may not see or change what the relay does, or null if it may. A name that a page chooses may
     * become an address of the relay (DNS rebinding); an address cannot.
     *
     * @param open whether the relay may have any name
     */
    static @Nullable String violationOfOwn(HttpRequest request, boolean open) {
        HttpHeaders headers = request.headers();
        String host = headers.get(HttpHeaderNames.HOST);
        String name = host == null ? "" : nameOf(host);
        if (!open && !isLoopback(name) && !NetUtil.isValidIpV4Address(name) && !name.startsWith("[")) {
            return "Under this Host the relay shows no streams: ask for localhost or for its address"
                    + " (start it with --allow-open to change that).";
        }
        String site = headers.get("sec-fetch-site", "none");
        boolean foreign = site.equals("cross-site") || site.equals("same-site");
        for (String origin : headers.getAll(HttpHeaderNames.ORIGIN)) {
            foreign |= !isOwn(origin, host, true);
        }
        return foreign ? "The relay shows its streams to its own page only." : null;
    }

    /** Whether a proxy says that it passes the request on. Its clients may be anywhere, even if it is on this machine. */
    static boolean isForwarded(HttpRequest request) {
        return FORWARDED.stream().anyMatch(request.headers()::contains);
    }

    private static boolean isBrowser(HttpRequest request) {
        return request.headers().get(HttpHeaderNames.USER_AGENT, "").contains("Mozilla/");
    }

    /**
     * Whether the request accepts an event stream and comes from a page of the relay's own origin. Images, links and
     * navigations do not accept event streams. A foreign page's {@code fetch} may set {@code Accept} and send no
     * origin (mode {@code no-cors}), and may leave the referrer out, but cannot forge it.
     */
    private static boolean isOwnEventSource(HttpRequest request, RelayConfig config) {
        HttpHeaders headers = request.headers();
        return headers.get(HttpHeaderNames.ACCEPT, "").toLowerCase(Locale.ROOT).contains("text/event-stream")
                && isOwn(
                        originOf(headers.get(HttpHeaderNames.REFERER, "")),
                        headers.get(HttpHeaderNames.HOST),
                        config.allowOpen());
    }

    private static String originOf(String url) {
        int path = url.indexOf('/', url.indexOf("//") + 2);
        return path < 0 ? url : url.substring(0, path);
    }

    private static boolean isOwn(String origin, String host, boolean open) {
        try {
            URI uri = new URI(origin);
            if (uri.getHost() == null) {
                return false;
            }
            return uri.getRawAuthority().equalsIgnoreCase(host) || (!open && isLoopback(uri.getHost()));
        } catch (URISyntaxException e) {
            return false;
        }
    }

    private static String nameOf(String host) {
        if (host.startsWith("[")) {
            return host.substring(0, host.indexOf(']') + 1);
        }
        int colon = host.indexOf(':');
        return colon < 0 ? host : host.substring(0, colon);
    }

    private static boolean isLoopback(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.equals("localhost")
                || lower.endsWith(".localhost")
                || lower.equals("[::1]")
                || lower.matches("127(\\.[0-9]{1,3}){3}");
    }
}
