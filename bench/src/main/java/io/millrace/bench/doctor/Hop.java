package io.millrace.bench.doctor;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Servers that can be recognised by their header fields. HAProxy cannot. */
enum Hop {
    MILLRACE("Millrace", "x-millrace-request-id", null),
    NGINX("nginx", "server", "nginx"),
    OPENRESTY("OpenResty (nginx)", "server", "openresty"),
    CLOUDFLARE("Cloudflare", "cf-ray", null),
    CADDY("Caddy", "server", "caddy"),
    CADDY_VIA("Caddy", "via", "caddy"),
    ENVOY("Envoy", "server", "envoy"),
    ENVOY_TIME("Envoy", "x-envoy-upstream-service-time", null),
    APACHE("Apache httpd", "server", "apache"),
    CLOUDFRONT("Amazon CloudFront", "x-amz-cf-id", null),
    AWS_ELB("AWS load balancer", "server", "awselb"),
    FASTLY("Fastly", "x-served-by", "cache-"),
    VARNISH("Varnish", "x-varnish", null),
    GOOGLE("Google load balancer", "via", "google"),
    AZURE("Azure Front Door", "x-azure-ref", null),
    HEROKU("Heroku router", "via", "vegur"),
    VERCEL("Vercel", "x-vercel-id", null),
    AKAMAI("Akamai", "x-akamai-request-id", null),
    TRAEFIK("Traefik", "server", "traefik"),
    SQUID("Squid", "via", "squid");

    private final String title;
    private final String header;
    private final @Nullable String part;

    Hop(String title, String header, @Nullable String part) {
        this.title = title;
        this.header = header;
        this.part = part;
    }

    /** Its name. */
    String title() {
        return title;
    }

    /** Whether it is nginx or a product that is built on nginx. */
    boolean isNginx() {
        return this == NGINX || this == OPENRESTY;
    }

    /** The servers whose header fields an answer has. */
    static List<Hop> of(Answer answer) {
        List<Hop> hops = new ArrayList<>();
        for (Hop hop : values()) {
            String value = answer.header(hop.header);
            boolean there = value != null
                    && (hop.part == null || value.toLowerCase(Locale.ROOT).contains(hop.part));
            if (there && hops.stream().noneMatch(known -> known.title.equals(hop.title))) {
                hops.add(hop);
            }
        }
        return hops;
    }
}
