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
        if (nginx || strangers) {
            known.addAll(nginx(ailment));
        }
        if (strangers) {
            known.addAll(haproxy(ailment));
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
                        "nginx: proxy_buffering off; in this location, or " + ACCEL
                                + " and take out proxy_ignore_headers X-Accel-Buffering",
                        "nginx: no proxy_cache in this location");
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

    private static List<String> haproxy(Ailment ailment) {
        return switch (ailment) {
            case CORKED -> List.of("HAProxy: option http-no-delay");
            case HELD, BUFFERED -> List.of("HAProxy: no option http-buffer-response, no cache");
            case COMPRESSED -> List.of("HAProxy: take text/event-stream out of compression type");
            case IDLE -> List.of("HAProxy: timeout server 660s and timeout client 660s");
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
            case UNREACHABLE -> List.of("check the address, that the server runs, and TLS");
            case REFUSED -> List.of("check path, dialect, model and key");
            case CONTENT_TYPE ->
                List.of(
                        "the server: Content-Type: text/event-stream; also check that nobody on the way answers in its place");
            case CHARSET -> List.of("the server: Content-Type: text/event-stream; charset=utf-8");
            case DELAYED_ACK ->
                List.of("the server or proxy that writes the stream: TCP_NODELAY (nginx: tcp_nodelay on;)");
            case CACHE_CONTROL -> List.of("the server: Cache-Control: no-cache, no-transform");
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
