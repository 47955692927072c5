package io.millrace.server.http;

import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.List;

/**
 * The header fields in which proxies, load balancers and CDNs describe the client and the proxies of a request. A
 * client can forge each of them. An underscore in a name counts as a hyphen, because many servers do not distinguish
 * them.
 */
final class WayFields {
    private static final List<AsciiString> PREFIXES = cached(
            "x-forward",
            "x-original-",
            "x-envoy-",
            "x-appengine-",
            "x-akamai-",
            "x-ssl-",
            "x-tls-",
            "x-vercel-ip-",
            "cf-connecting-",
            "cf-ip",
            "cloudfront-",
            "fly-forwarded-",
            "ssl-client-",
            "x-amzn-oidc-");
    private static final AsciiString[][] NAMES = byLength(cached(
            // of many products
            "forwarded",
            "forwarded-for",
            "via",
            "x-real-ip",
            "real-ip",
            "x-client-ip",
            "x-clientip",
            "client-ip",
            "x-remote-ip",
            "x-remote-addr",
            "x-remote-address",
            "x-remote-host",
            "x-remote-user",
            "remote-addr",
            "remote-user",
            "x-originating-ip",
            "x-cluster-client-ip",
            "x-true-client-ip",
            "true-client-ip",
            "x-source-ip",
            "x-user-ip",
            "x-proxyuser-ip",
            "x-proxy-client-ip",
            "proxy-client-ip",
            "wl-proxy-client-ip",
            "http-client-ip",
            "http-x-forwarded-for",
            "x-custom-ip-authorization",
            "x-host",
            "x-http-host-override",
            "x-rewrite-url",
            "x-scheme",
            "x-url-scheme",
            "front-end-https",
            "cdn-loop",
            // of clients' certificates
            "client-cert",
            "client-cert-chain",
            "x-client-cert",
            "x-client-certificate",
            "x-client-dn",
            "x-client-verify",
            "x-arr-clientcert",
            // of one company's product
            "akamai-origin-hop",
            "ali-cdn-real-ip",
            "cdn-real-ip",
            "cdn-src-ip",
            "cf-pseudo-ipv4",
            "cf-ray",
            "cf-visitor",
            "cf-worker",
            "cf-ew-via",
            "do-connecting-ip",
            "fastly-client",
            "fastly-client-ip",
            "fastly-ff",
            "fastly-ssl",
            "fastly-temp-xff",
            "fly-client-ip",
            "fly-region",
            "incap-client-ip",
            "x-amz-cf-id",
            "x-arr-log-id",
            "x-arr-ssl",
            "x-azure-clientip",
            "x-azure-fdid",
            "x-azure-ref",
            "x-azure-requestchain",
            "x-azure-socketip",
            "x-nf-client-connection-ip",
            "x-sucuri-clientip",
            "x-sucuri-country",
            "x-vercel-proxied-for",
            "x-vercel-proxy-signature",
            "x-vercel-forwarded-for"));

    private WayFields() {}

    /** Whether {@code name} is one of them. */
    static boolean contains(CharSequence name) {
        int length = name.length();
        if (length < NAMES.length) {
            for (AsciiString known : NAMES[length]) {
                if (startsWith(name, known)) {
                    return true;
                }
            }
        }
        for (int i = 0; i < PREFIXES.size(); i++) {
            AsciiString prefix = PREFIXES.get(i);
            if (length >= prefix.length() && startsWith(name, prefix)) {
                return true;
            }
        }
        return false;
    }

    private static boolean startsWith(CharSequence name, AsciiString known) {
        for (int i = 0; i < known.length(); i++) {
            char c = name.charAt(i);
            char plain = c == '_' ? '-' : AsciiString.toLowerCase(c);
            if (plain != known.byteAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static List<AsciiString> cached(String... names) {
        return List.of(names).stream().map(AsciiString::cached).toList();
    }

    private static AsciiString[][] byLength(List<AsciiString> names) {
        int longest = names.stream().mapToInt(AsciiString::length).max().orElse(0);
        var byLength = new ArrayList<AsciiString[]>();
        for (int length = 0; length <= longest; length++) {
            int wanted = length;
            byLength.add(names.stream().filter(name -> name.length() == wanted).toArray(AsciiString[]::new));
        }
        return byLength.toArray(AsciiString[][]::new);
    }
}
