package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WayFieldsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Forwarded",
                "Forwarded-For",
                "Via",
                "X-Forwarded",
                "X-Forwarded-For",
                "X-Forwarded-Host",
                "X-Forwarded-Port",
                "X-Forwarded-Proto",
                "X-Forwarded-Prefix",
                "X-Forwarded-User",
                "X-Forwarded-Client-Cert",
                "X-Forward-For",
                "X-Original-Forwarded-For",
                "X-Original-Host",
                "X-Original-URL",
                "X-Rewrite-URL",
                "X-Real-IP",
                "Real-IP",
                "X-Client-IP",
                "X-ClientIP",
                "Client-IP",
                "X-Remote-IP",
                "X-Remote-Addr",
                "X-Remote-User",
                "Remote-Addr",
                "Remote-User",
                "X-Originating-IP",
                "X-Cluster-Client-IP",
                "True-Client-IP",
                "X-True-Client-IP",
                "X-Source-IP",
                "X-User-IP",
                "X-ProxyUser-Ip",
                "Proxy-Client-IP",
                "WL-Proxy-Client-IP",
                "HTTP-Client-IP",
                "HTTP-X-Forwarded-For",
                "X-Custom-IP-Authorization",
                "X-Host",
                "X-Scheme",
                "Front-End-Https",
                "CDN-Loop",
                "Client-Cert",
                "Client-Cert-Chain",
                "X-Client-Cert",
                "X-SSL-Client-Cert",
                "SSL-Client-Verify",
                "X-TLS-Client-Subject",
                "X-ARR-ClientCert",
                "CF-Connecting-IP",
                "CF-Connecting-IPv6",
                "CF-IPCountry",
                "CF-Pseudo-IPv4",
                "CF-Ray",
                "CF-Visitor",
                "CF-Worker",
                "CloudFront-Viewer-Address",
                "Fastly-Client-IP",
                "Fastly-Temp-XFF",
                "Fly-Client-IP",
                "Fly-Forwarded-Proto",
                "Incap-Client-IP",
                "Ali-CDN-Real-IP",
                "CDN-Src-IP",
                "DO-Connecting-IP",
                "X-Akamai-Edgescape",
                "X-Amzn-Oidc-Identity",
                "X-AppEngine-User-IP",
                "X-Azure-ClientIP",
                "X-Azure-SocketIP",
                "X-Envoy-External-Address",
                "X-Envoy-Original-Path",
                "X-NF-Client-Connection-IP",
                "X-Sucuri-ClientIP",
                "X-Vercel-Forwarded-For",
                "X-Vercel-IP-Country",
            })
    void whatProxiesSayDoesNotGoOn(String name) {
        String underscored = name.replace('-', '_');
        for (String each :
                new String[] {name, name.toLowerCase(Locale.ROOT), name.toUpperCase(Locale.ROOT), underscored}) {
            assertThat(WayFields.contains(each)).as(each).isTrue();
            var headers = new DefaultHttpHeaders().add("x-kept", "1").add(each, "1.2.3.4");
            assertThat(HeaderRules.toUpstream(headers, null).names()).containsExactly("x-kept");
            assertThat(HeaderRules.translated(headers).names()).containsExactly("x-kept");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cf-aig-authorization",
                "CF-Access-Client-Id",
                "Client",
                "ip",
                "Fly-Prefer-Region",
                "X-Client-Name",
                "X-Ms-Client-Request-Id",
                "X-Request-Id",
                "X-Stainless-Lang",
                "X-Title",
                "X-Vercel-Protection-Bypass",
                "HTTP-Referer",
                "Via-Agent",
                "User-Agent",
                "traceparent",
                "X",
                "x-forwar"
            })
    void otherFieldsGoOn(String name) {
        assertThat(WayFields.contains(name)).isFalse();
        var headers = new DefaultHttpHeaders().add(name, "1");
        assertThat(HeaderRules.toUpstream(headers, null).contains(name)).isTrue();
    }
}
