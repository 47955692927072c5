package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Conversion of heads between HTTP/2 and HTTP/1.1. */
class Http2HeadsTest {
    @Test
    void makesARequestOfAHead() {
        HttpRequest request = request(post().add("content-type", "application/json"), true);

        assertThat(request.method().name()).isEqualTo("POST");
        assertThat(request.uri()).isEqualTo("/v1/messages?beta=true");
        assertThat(request.protocolVersion()).isSameAs(HttpVersion.HTTP_1_1);
        assertThat(request.headers().getAll("host")).containsExactly("relay.example:443");
        assertThat(request.headers().get("content-type")).isEqualTo("application/json");
        assertThat(request.headers().get("transfer-encoding")).isEqualTo("chunked");
        assertThat(RequestGate.verify(request, 100, 1000)).isNull();
    }

    @Test
    void needsNoCodingWhereTheLengthIsSaidOrThereIsNoBody() {
        assertThat(request(post().add("content-length", "5"), true).headers().contains("transfer-encoding"))
                .isFalse();
        assertThat(request(get("/"), false).headers().contains("transfer-encoding"))
                .isFalse();
    }

    @Test
    void joinsTheCrumbsOfACookie() {
        Http2Headers head =
                get("/").add("cookie", "a=1").add("x", "y").add("cookie", "b=2").add("cookie", "c=3");
        assertThat(request(head, false).headers().getAll("cookie")).containsExactly("a=1; b=2; c=3");
    }

    @Test
    void dropsTe() {
        assertThat(request(get("/").add("te", "trailers"), false).headers().contains("te"))
                .isFalse();
    }

    @Test
    void takesHostWhereThereIsNoAuthority() {
        var head =
                new DefaultHttp2Headers().method("GET").scheme("http").path("/").add("host", "relay.example");
        assertThat(request(head, false).headers().getAll("host")).containsExactly("relay.example");
    }

    @Test
    void takesOneHostThatIsTheAuthority() {
        HttpRequest request = request(get("/").add("host", "RELAY.example:443"), false);
        assertThat(request.decoderResult().isSuccess()).isTrue();
        assertThat(request.headers().getAll("host")).containsExactly("relay.example:443");
    }

    @ParameterizedTest
    @CsvSource({
        "GET, https, /, other.example, host and :authority differ",
        "GET, ftp, /, , the scheme",
        "GET, , /, , the scheme",
        "GET, https, http://relay.example/, , the path",
        "GET, https, relative, , the path",
        "GET, https, , , the path",
        "GE T, https, /, , ",
    })
    void refusesAHeadThatIsNoRequest(String method, String scheme, String path, String host, String why) {
        var head = new DefaultHttp2Headers(false).method(method).authority("relay.example:443");
        if (scheme != null) {
            head.scheme(scheme);
        }
        if (path != null) {
            head.path(path);
        }
        if (host != null) {
            head.add("host", host);
        }
        HttpRequest request = request(head, false);

        var refusal = RequestGate.verify(request, 100, 1000);
        assertThat(refusal).isNotNull();
        assertThat(refusal.status()).isEqualTo(400);
        assertThat(refusal.message()).startsWith("The request is not valid HTTP/2: ");
        assertThat(refusal.message()).contains(why == null ? "" : why);
    }

    @Test
    void refusesFieldsThatHttp11DoesNotKnow() {
        var head = new DefaultHttp2Headers(false)
                .method("GET")
                .scheme("http")
                .authority("a")
                .path("/");
        head.add("x", "a\r\nb: c");
        assertThat(RequestGate.verify(request(head, false), 100, 1000)).isNotNull();
    }

    @Test
    void refusesALongTarget() {
        HttpRequest request = request(get("/" + "x".repeat(8192)), false);
        assertThat(request.decoderResult().cause()).isInstanceOf(TooLongHttpLineException.class);
        assertThat(RequestGate.verify(request, 100, 1000).status()).isEqualTo(414);
    }

    @Test
    void refusesConnect() {
        var head = new DefaultHttp2Headers().method("CONNECT").authority("a:443");
        assertThat(RequestGate.verify(request(head, true), 100, 1000).status()).isEqualTo(501);
    }

    @Test
    void leavesTheFieldsOfAConnectionOutOfAResponse() {
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.ACCEPTED);
        response.headers()
                .add("Content-Type", "text/plain")
                .add("Connection", "close")
                .add("Keep-Alive", "timeout=5")
                .add("Transfer-Encoding", "chunked")
                .add("Upgrade", "h2c")
                .add("Proxy-Connection", "close")
                .add("X-A", "1")
                .add("x-a", "2");
        Http2Headers head = Http2Heads.response(response);

        assertThat(head.status()).hasToString("202");
        assertThat(head.names()).map(CharSequence::toString).containsExactly(":status", "content-type", "x-a");
        assertThat(head.getAll("x-a")).map(CharSequence::toString).containsExactly("1", "2");
    }

    private static HttpRequest request(Http2Headers head, boolean hasBody) {
        return Http2Heads.request(head, hasBody, 8192);
    }

    private static Http2Headers post() {
        return new DefaultHttp2Headers()
                .method("POST")
                .scheme("https")
                .authority("relay.example:443")
                .path("/v1/messages?beta=true");
    }

    private static Http2Headers get(String path) {
        return new DefaultHttp2Headers()
                .method("GET")
                .scheme("https")
                .authority("relay.example:443")
                .path(path);
    }
}
