package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Heads between HTTP/1.1 and HTTP/2. */
class Http2HeadsTest {
    @Test
    void requestHasPseudoFieldsAndNothingOfAConnection() {
        var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/v1/x?a=b");
        request.headers()
                .add("Host", "up:1")
                .add("X-Two", "1")
                .add("x-two", "2")
                .add("Transfer-Encoding", "chunked")
                .add("Connection", "close")
                .add("Keep-Alive", "1")
                .add("TE", "trailers")
                .add("Upgrade", "h2c")
                .add("Proxy-Connection", "x")
                .add("Authorization", "Bearer k");
        Http2Headers head = Http2Heads.request(request, true);
        assertThat(head.method()).hasToString("POST");
        assertThat(head.scheme()).hasToString("https");
        assertThat(head.authority()).hasToString("up:1");
        assertThat(head.path()).hasToString("/v1/x?a=b");
        assertThat(head.getAll("x-two")).map(CharSequence::toString).containsExactly("1", "2");
        assertThat(head.get("authorization")).hasToString("Bearer k");
        assertThat(head.size()).isEqualTo(7);
    }

    @Test
    void keysAreKeptOutOfTheTableThatClientsShare() {
        assertThat(List.of("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"))
                .allMatch(Http2Heads::isSecret);
        assertThat(Http2Heads.isSecret("content-type")).isFalse();
    }

    @Test
    void responseHasItsFieldsInOrder() {
        HttpResponse response = Http2Heads.response(
                new DefaultHttp2Headers().status("200").add("x-a", "1").add("x-b", "2"));
        assertThat(response.decoderResult().isSuccess()).isTrue();
        assertThat(response.status().code()).isEqualTo(200);
        assertThat(response.headers().entries()).map(Object::toString).containsExactly("x-a=1", "x-b=2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "20", "2000", "2 0", "-20", "abc", "099"})
    void statusThatIsNoneIsAViolation(String status) {
        HttpResponse response = Http2Heads.response(new DefaultHttp2Headers(false).status(status));
        assertThat(ResponseHeadCheck.violation(response)).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nb: c", "a\nb", "a\0b"})
    void valueThatWouldSplitAResponseIsAViolation(String value) {
        HttpResponse response =
                Http2Heads.response(new DefaultHttp2Headers(false).status("200").add("x-a", value));
        assertThat(ResponseHeadCheck.violation(response)).isNotNull();
    }

    @Test
    void twoLengthsAreAViolation() {
        HttpResponse response = Http2Heads.response(new DefaultHttp2Headers(false)
                .status("200")
                .add("content-length", "1")
                .add("content-length", "2"));
        assertThat(ResponseHeadCheck.violation(response)).isNotNull();
    }
}
