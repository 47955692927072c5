package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.mock.MockRequest;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Unusual requests with exactly one meaning. They are served. */
@Tag("sockets")
class AcceptedRequestsTest {
    private static RelayHarness harness;

    @BeforeAll
    static void start() {
        harness = RelayHarness.start();
    }

    @AfterAll
    static void stop() {
        harness.close();
    }

    @ParameterizedTest
    @CsvSource({
        "http://example.com/echo/a?b=c, /echo/a?b=c",
        "https://example.com:99/echo, /echo",
        "http://example.com?x, /?x",
        "/echo//a/../b/%2e%2e/%2f, /echo//a/../b/%2e%2e/%2f",
        "//echo, //echo",
        "/echo?a=%20+b&c=/../?&, /echo?a=%20+b&c=/../?&",
        "'/echo/;a=1,2/$!*()''~@:', '/echo/;a=1,2/$!*()''~@:'",
    })
    void forwardsTheRawPath(String target, String asked) throws IOException {
        // The relay itself answers a GET of its root.
        assertThat(relayed("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                        .uri())
                .isEqualTo(asked);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost:8080",
                "Example.COM",
                "127.0.0.1",
                "127.0.0.1:65535",
                "[::1]:8080",
                "[::1]",
                "[2001:DB8::ffff:192.0.2.1]",
                "a_b",
                "x--y.z:1",
                "a%2Fb",
                "!$&'()*+,;=~"
            })
    void acceptsHost(String host) throws IOException {
        MockRequest got = relayed("GET /echo HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
        assertThat(got.headers().getAll("host")).containsExactly("127.0.0.1:" + harness.mock.port());
    }

    @Test
    void acceptsNoHostOnHttp10() throws IOException {
        assertThat(relayed("GET /echo HTTP/1.0\r\n\r\n").headers().get("host")).startsWith("127.0.0.1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "get", "Post", "DELETE", "PATCH", "PROPFIND", "M-SEARCH"})
    void forwardsTheMethodAsItCame(String method) throws IOException {
        assertThat(relayed(method + " /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                        .method())
                .isEqualTo(method);
    }

    @Test
    void skipsTwoEmptyLinesBeforeARequest() throws IOException {
        assertThat(relayed("\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n").uri())
                .isEqualTo("/echo");
    }

    @Test
    void writesTheLengthAnew() throws IOException {
        MockRequest got = relayed("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\nhello");
        assertThat(got.headers().getAll("content-length")).containsExactly("5");
        assertThat(got.body()).asString(StandardCharsets.UTF_8).isEqualTo("hello");
    }

    @Test
    void takesChunksApartAndDropsExtensionsAndTrailers() throws IOException {
        MockRequest got = relayed("POST /echo HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n"
                + "0000000000000005;a=b;c=\"d\"\r\nhello\r\n6;"
                + "x".repeat(64)
                + "\r\n world\r\n0;end\r\n"
                + "Authorization: stolen\r\nHost: other\r\nContent-Length: 99\r\n\r\n");
        assertThat(got.body()).asString(StandardCharsets.UTF_8).isEqualTo("hello world");
        assertThat(got.headers().contains("authorization")).isFalse();
        assertThat(got.headers().getAll("host")).hasSize(1);
    }

    @Test
    void servesABodyOfManySmallChunks() throws IOException {
        MockRequest got = relayed("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "4\r\nabcd\r\n".repeat(413) + "5 ;a=b\r\nhello\r\n" + "0\r\n\r\n");
        assertThat(got.body()).asString(StandardCharsets.UTF_8).isEqualTo("abcd".repeat(413) + "hello");
    }

    @Test
    void servesChunksOfAllSizesInOneBody() throws IOException {
        String large = "x".repeat(3000);
        MockRequest got = relayed("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + ("1\r\na\r\n2\r\nbc\r\nbb8\r\n" + large + "\r\n").repeat(20) + "3\r\nend\r\n0\r\n\r\n");
        assertThat(got.body()).asString(StandardCharsets.UTF_8).isEqualTo(("abc" + large).repeat(20) + "end");
    }

    @Test
    void keepsTheConnectionAfterChunks() throws IOException {
        String chunks = "5\r\nhello\r\n0\r\nX: 1\r\n\r\n";
        try (var client = harness.client()) {
            for (int i = 0; i < 3; i++) {
                client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
                assertThat(client.readAll().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void ignoresAnOfferOfHttp2() throws IOException {
        String offer = "Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n\r\n";
        MockRequest got = relayed("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n" + offer);
        assertThat(got.headers().contains("upgrade")).isFalse();
        assertThat(got.headers().contains("http2-settings")).isFalse();
    }

    @Test
    void asksForABodyThatWaits() throws IOException {
        try (var client = harness.client()) {
            client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 100 Continue\r\n");
            client.sendRaw("hello");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.text()).doesNotContainIgnoringCase("100-continue");
            client.sendRaw("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Content-Length: 99999999, 413",
        "X A: 1, 400",
        "Transfer-Encoding: gzip, 400",
    })
    void doesNotAskForABodyThatIsRefused(String field, int status) throws IOException {
        try (var client = harness.client()) {
            client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\n" + field + "\r\nExpect: 100-continue\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(status);
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    @Test
    void answersPipelinedRequestsInOrder() throws IOException {
        try (var client = harness.client()) {
            var requests = new StringBuilder();
            for (int i = 0; i < 20; i++) {
                requests.append("POST /echo/")
                        .append(i)
                        .append(" HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\r\n");
            }
            client.sendRaw(requests.toString());
            for (int i = 0; i < 20; i++) {
                assertThat(client.readAll().text()).contains("\"/echo/" + i + "\"");
            }
        }
    }

    private static MockRequest relayed(String request) throws IOException {
        MockRequest whole = relayed(request, false);
        MockRequest bytewise = relayed(request, true);
        assertThat(bytewise.uri()).isEqualTo(whole.uri());
        assertThat(bytewise.body()).isEqualTo(whole.body());
        // What is whole when it is sent on gets a length, what is not keeps its chunks.
        if (!bytewise.headers().contains("transfer-encoding")) {
            assertThat(bytewise.headers()).isEqualTo(whole.headers());
        }
        return bytewise;
    }

    private static MockRequest relayed(String request, boolean bytewise) throws IOException {
        int before = harness.mock.requests().size();
        try (var client = harness.client()) {
            RequestTableTest.send(client, request, bytewise);
            client.readAll();
        }
        var requests = harness.mock.requests();
        assertThat(requests).hasSize(before + 1);
        return requests.get(before);
    }
}
