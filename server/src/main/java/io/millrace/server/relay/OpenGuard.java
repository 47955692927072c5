package io.millrace.server.relay;

import io.millrace.server.config.Cors;
import io.millrace.server.config.RelayConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/**
 * Keeps web pages from spending the keys of a relay that injects them: a page may neither reach it under a name of its
 * own (DNS rebinding) nor call it from another site.
 */
final class OpenGuard {
    private OpenGuard() {}

    /**
     * Why the request is refused, or null if it is not.
     *
     * @param evenGet whether a mere GET spends something, which a page of another site can have made as an image or a link:
     *     browsers send no origin with that, but say so in {@code Sec-Fetch-Site} (Fetch Metadata)
     */
    static String violation(HttpRequest request, RelayConfig config, boolean evenGet) {
        String violation = violation(request, config.allowOpen(), config.cors());
        return violation == null && evenGet && isFromAnotherSite(request)
                ? "This relay adds its own keys and refuses requests from the pages of another site."
                : violation;
    }

    private static String violation(HttpRequest request, boolean open, Cors cors) {
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

    private static boolean isFromAnotherSite(HttpRequest request) {
        String site = request.headers().get("sec-fetch-site", "");
        boolean foreign = site.equals("cross-site") || site.equals("same-site");
        return foreign && !request.headers().contains(HttpHeaderNames.ORIGIN);
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
