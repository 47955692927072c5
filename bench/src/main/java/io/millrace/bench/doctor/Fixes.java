package io.millrace.bench.doctor;

import java.util.ArrayList;
import java.util.List;

/** The settings that correct a fault: those of the servers that were recognised, otherwise those of common servers. */
final class Fixes {
    private static final String ACCEL = "send X-Accel-Buffering: no from the server behind it";

    private Fixes() {}

    static List<String> of(Ailment ailment, List<Hop> hops) {
        List<String> known = new ArrayList<>();
        boolean nginx = hops.stream().anyMatch(Hop::isNginx);
        boolean strangers = hops.stream().allMatch(hop -> hop == Hop.MILLRACE);
        if (nginx) {
            known.addAll(nginx(ailment));
        }
        if (strangers) {
            known.addAll(unseen(ailment));
        }
        if (hops.contains(Hop.CADDY) || hops.contains(Hop.CADDY_VIA)) {
            known.addAll(caddy(ailment));
        }
        if (hops.contains(Hop.CLOUDFLARE)) {
            known.addAll(cloudflare(ailment));
        }
        for (Hop hop : hops) {
            known.addAll(other(hop, ailment));
        }
        known.addAll(server(ailment));
        return known;
    }

    private static List<String> nginx(Ailment ailment) {
        return switch (ailment) {
            case HELD, BUFFERED ->
                List.of(
                        "nginx: proxy_http_version 1.1; proxy_set_header Connection \"\"; (it asks with HTTP/1.0 by itself,"
                                + " and collects such answers)",
                        "nginx: proxy_buffering off; in this location, or " + ACCEL
                                + " and take out proxy_ignore_headers X-Accel-Buffering",
                        "nginx: no proxy_cache in this location");
            case DELAYED_ACK ->
                List.of(
                        "nginx: proxy_buffering off; in this location, or " + ACCEL
                                + " and take out proxy_ignore_headers X-Accel-Buffering: then it sends each piece at once",
                        "nginx: tcp_nodelay on;");
            case COMPRESSED ->
                List.of("nginx: gzip off; in this location, or take text/event-stream (and *) out of gzip_types");
            case IDLE -> List.of("nginx: proxy_read_timeout 660s; (it is 60s by itself)");
            case OLD_HTTP -> List.of("nginx: proxy_http_version 1.1; proxy_set_header Connection \"\";");
            case CONTENT_LENGTH -> List.of("nginx: proxy_buffering off; and no proxy_cache in this location");
            case TRUNCATED -> List.of("nginx: see its error log; proxy_http_version 1.1; and proxy_read_timeout 660s;");
            case ERROR_SHAPE -> List.of("nginx: proxy_intercept_errors off;");
            default -> List.of();
        };
    }

    /** No proxy identified itself. HAProxy never does, and its pattern is known. */
    private static List<String> unseen(Ailment ailment) {
        return switch (ailment) {
            case CORKED -> List.of("if HAProxy is on the way, which does not identify itself: option http-no-delay");
            case HELD, BUFFERED, RECHUNKED ->
                List.of("the proxy or server that answers: turn off its buffering of responses for event streams");
            case COMPRESSED -> List.of("the proxy or server that answers: do not compress text/event-stream");
            case IDLE -> List.of("the proxy that cuts: an idle time above the model's longest silence");
            default -> List.of();
        };
    }

    private static List<String> caddy(Ailment ailment) {
        return switch (ailment) {
            case HELD, BUFFERED ->
                List.of("Caddy: flush_interval -1 inside reverse_proxy; encode only what is no event stream");
            case COMPRESSED -> List.of("Caddy: encode gzip { match header Content-Type application/json* }");
            case IDLE -> List.of("Caddy: transport http { read_timeout 11m }");
            default -> List.of();
        };
    }

    private static List<String> cloudflare(Ailment ailment) {
        return switch (ailment) {
            case HELD, BUFFERED, COMPRESSED ->
                List.of(
                        "Cloudflare: Cache-Control: no-cache, no-transform from the origin, a cache rule that bypasses this path,"
                                + " a compression rule that disables it for text/event-stream");
            case IDLE -> List.of("Cloudflare: its limit is about 100 s between two bytes; send heartbeats");
            default -> List.of();
        };
    }

    private static List<String> other(Hop hop, Ailment ailment) {
        if (ailment == Ailment.IDLE) {
            return switch (hop) {
                case AWS_ELB ->
                    List.of("AWS load balancer: attribute idle_timeout.timeout_seconds (it is 60 by itself)");
                case CLOUDFRONT -> List.of("CloudFront: origin response timeout of the origin (30 s by itself)");
                case ENVOY, ENVOY_TIME ->
                    List.of("Envoy: stream_idle_timeout (5 min) and timeout: 0s of the route (15 s by itself)");
                case GOOGLE -> List.of("Google load balancer: timeoutSec of the backend service (30 s by itself)");
                case HEROKU -> List.of("Heroku: its limit is 55 s between two bytes; send heartbeats");
                case APACHE -> List.of("Apache httpd: ProxyTimeout 660");
                default -> List.of();
            };
        }
        boolean holds = ailment == Ailment.HELD || ailment == Ailment.BUFFERED;
        if (hop == Hop.APACHE && (holds || ailment == Ailment.COMPRESSED)) {
            return List.of(
                    holds
                            ? "Apache httpd: ProxyPass with flushpackets=on"
                            : "Apache httpd: SetEnv no-gzip 1 for this location");
        }
        return List.of();
    }

    private static List<String> server(Ailment ailment) {
        return switch (ailment) {
            case UNREACHABLE -> List.of("check host and port, and that the server runs");
            case NO_SUCH_NAME -> List.of("check the spelling of the host, and the DNS of this machine");
            case UNTRUSTED -> List.of("--ca FILE with the authority's certificate as PEM, as SDKs must be told, too");
            case TLS -> List.of("check the certificate's names and the versions of TLS that the server offers");
            case SPEAKS_TLS -> List.of("use https:// in BASE");
            case SPEAKS_NO_TLS -> List.of("use http:// in BASE, or turn on TLS on this port");
            case KEY -> List.of("name the variable that has the key: --api-key-env NAME");
            case NO_API -> List.of("check the path of BASE (most end in /v1) and --dialect");
            case WEB_PAGE -> List.of("check the path of BASE (most end in /v1)");
            case REDIRECTED -> List.of("use the address of the redirect as BASE");
            case LIMITED -> List.of("wait, or ask with a key that has a higher limit");
            case SERVER_BEHIND ->
                List.of("check the server behind the proxy: that it runs, and the address it is asked at");
            case REFUSED -> List.of("the answer above says why; check --model and --dialect");
            case CONTENT_TYPE ->
                List.of(
                        "the server: Content-Type: text/event-stream; also check that nobody on the way answers in its place");
            case CHARSET -> List.of("the server: Content-Type: text/event-stream; charset=utf-8");
            case DELAYED_ACK -> List.of("the server or proxy that writes the stream: TCP_NODELAY");
            case CACHEABLE, CACHE_CONTROL -> List.of("the server: Cache-Control: no-cache, no-transform");
            case ACCEL -> List.of("the server: X-Accel-Buffering: no");
            case NO_TERMINAL, FAILED -> List.of("ask the server behind: its log says how the stream ended");
            case TRUNCATED -> List.of("the proxy that cuts: its log, its limits on size and time of a response");
            case LOST -> List.of("find what rewrites bodies on the way, and take it out");
            case IDLE -> List.of("send heartbeats: Millrace does, every 15 s");
            case CORS ->
                List.of(
                        "the server: Access-Control-Allow-Origin, -Methods and -Headers for that origin (Millrace: cors.origins)");
            case OLD_HTTP -> List.of("the server: answer HTTP/1.1 with chunked coding");
            default -> List.of();
        };
    }
}
