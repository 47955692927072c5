package io.millrace.server.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests of a browser that sends no Sec-Fetch-Site. Host is 192.168.1.5:8080, which allowOpen admits. */
class OpenGuardTest {
    private static final RelayConfig OPEN =
            RelayConfig.relayTo(URI.create("http://127.0.0.1:9")).with(c -> c.clients = ClientAccess.ALLOW_OPEN);
    private static final String BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15";

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                // an image, a link, a navigation
                "'image/avif,image/webp;q=0.9', http://evil.example/, false",
                "'text/html,*/*;q=0.8', -, false",
                "*/*, http://192.168.1.5:8080/, false",
                "-, -, false",
                // fetch of a foreign page in mode no-cors
                "text/event-stream, -, false",
                "text/event-stream, http://evil.example/, false",
                "text/event-stream, http://192.168.1.5:8080.evil.example/, false",
                "text/event-stream, http://192.168.1.5:8080@evil.example/, false",
                "text/event-stream, http://192.168.1.5:9090/, false",
                "text/event-stream, http://localhost/, false",
                // EventSource of an own page
                "text/event-stream, http://192.168.1.5:8080/, true",
                "text/event-stream, http://192.168.1.5:8080/page?a|b, true",
            })
    void letsABrowserThatTellsNoSiteGetOnlyByAnEventSourceOfAnOwnPage(String accept, String referer, boolean admitted) {
        HttpRequest request = request(HttpMethod.GET, BROWSER, "accept", accept, "referer", referer);
        String violation = OpenGuard.violation(request, OPEN, true);
        if (admitted) {
            assertThat(violation).isNull();
        } else {
            assertThat(violation).contains("use POST");
        }
    }

    @Test
    void letsGetWhatIsNoBrowser() {
        for (String agent : new String[] {"curl/8.5.0", "node", null}) {
            HttpRequest request = request(HttpMethod.GET, agent, "accept", "*/*");
            assertThat(OpenGuard.violation(request, OPEN, true)).isNull();
        }
    }

    @Test
    void letsABrowserPostAndGetWhatCostsNothing() {
        assertThat(OpenGuard.violation(request(HttpMethod.POST, BROWSER), OPEN, true))
                .isNull();
        assertThat(OpenGuard.violation(request(HttpMethod.GET, BROWSER), OPEN, false))
                .isNull();
    }

    @Test
    void believesWhatABrowserTells() {
        assertThat(OpenGuard.violation(request(HttpMethod.GET, BROWSER, "sec-fetch-site", "none"), OPEN, true))
                .isNull();
        assertThat(OpenGuard.violation(request(HttpMethod.GET, BROWSER, "sec-fetch-site", "cross-site"), OPEN, true))
                .contains("another site");
        HttpRequest own = request(HttpMethod.GET, BROWSER, "origin", "http://192.168.1.5:8080");
        assertThat(OpenGuard.violation(own, OPEN, true)).isNull();
    }

    private static HttpRequest request(HttpMethod method, String agent, String... fields) {
        var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, method, "/chat?prompt=a");
        request.headers().set("host", "192.168.1.5:8080");
        if (agent != null) {
            request.headers().set("user-agent", agent);
        }
        for (int i = 0; i < fields.length; i += 2) {
            if (fields[i + 1] != null) {
                request.headers().set(fields[i], fields[i + 1]);
            }
        }
        return request;
    }
}
