package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bytes that are not a request, or that several servers read differently, and the response of the relay. */
@Tag("sockets")
class RequestTableTest {
    private static final String PATH = "/v1/chat/completions";

    private static RelayHarness harness;

    /** What is sent, the status it gets, and a part of the message. */
    record Case(String name, String bytes, int status, String says) {
        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    static void start() {
        harness = RelayHarness.start();
    }

    @AfterAll
    static void stop() {
        harness.close();
    }

    static Stream<Case> refused() {
        return Stream.of(
                // Host
                head("no Host", "", 400, "exactly one Host"),
                head("two Hosts", "Host: a\r\nHost: b\r\n", 400, "exactly one Host"),
                head("two equal Hosts", "Host: a\r\nHost: a\r\n", 400, "exactly one Host"),
                head("Host with a space", "Host: a b\r\n", 400, "Host header"),
                head("Host with a user", "Host: x@a\r\n", 400, "Host header"),
                head("Host with a path", "Host: a/b\r\n", 400, "Host header"),
                head("Host with a colon and no port", "Host: a:\r\n", 400, "Host header"),
                head("Host with letters in its port", "Host: a:1b\r\n", 400, "Host header"),
                head("Host of a port only", "Host: :80\r\n", 400, "Host header"),
                head("Host with a long port", "Host: a:123456\r\n", 400, "Host header"),
                head("Host with two ports", "Host: a:80:80\r\n", 400, "Host header"),
                head("Host with a sign in its port", "Host: a:+80\r\n", 400, "Host header"),
                head("Host with a letter that is not ASCII", "Host: caf\u00e9\r\n", 400, "Host header"),
                head("Host with a quote", "Host: a\"b\r\n", 400, "Host header"),
                head("Host with a backslash", "Host: a\\b\r\n", 400, "Host header"),
                head("Host with a fragment", "Host: a#b\r\n", 400, "Host header"),
                head("Host of an IPv6 address without brackets", "Host: ::1\r\n", 400, "Host header"),
                head("Host of empty brackets", "Host: []\r\n", 400, "Host header"),
                head("Host of empty brackets and a port", "Host: []:80\r\n", 400, "Host header"),
                head("Host without the closing bracket", "Host: [::1\r\n", 400, "Host header"),
                head("Host without the opening bracket", "Host: ::1]\r\n", 400, "Host header"),
                head("Host with a name in brackets", "Host: [localhost]\r\n", 400, "Host header"),
                head("Host with a zone in brackets", "Host: [fe80::1%25eth0]\r\n", 400, "Host header"),
                head("Host with brackets in brackets", "Host: [[::1]]\r\n", 400, "Host header"),
                head("Host with a name behind brackets", "Host: [::1]a\r\n", 400, "Host header"),
                head("Host with digits behind brackets", "Host: [::1]80\r\n", 400, "Host header"),
                head("Host with brackets and no port", "Host: [::1]:\r\n", 400, "Host header"),
                head("Host with brackets and a long port", "Host: [::1]:123456\r\n", 400, "Host header"),
                head("Host with brackets behind a name", "Host: a[::1]\r\n", 400, "Host header"),
                head("empty Host", "Host:\r\n", 400, "Host header"),
                // Versions
                line("HTTP/1.2", "GET / HTTP/1.2", 505, "HTTP/1.2"),
                line("HTTP/2.0", "GET / HTTP/2.0", 505, "HTTP/2.0"),
                line("HTTP/9.9", "GET / HTTP/9.9", 505, "HTTP/9.9"),
                line("http/1.1", "GET / http/1.1", 505, "version"),
                line("ICY/1.1", "GET / ICY/1.1", 400, "version"),
                line("HTTP/1.1x", "GET / HTTP/1.1x", 400, "HTTP/1.1"),
                line("HTTP/0.9", "GET /", 400, "request line"),
                new Case("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/2.0"),
                new Case("TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003", 400, ""),
                // Targets
                line("asterisk", "OPTIONS * HTTP/1.1", 501, "*"),
                line("CONNECT", "CONNECT example.com:443 HTTP/1.1", 501, "CONNECT"),
                line("authority form", "GET example.com:443 HTTP/1.1", 400, "slash"),
                line("no leading slash", "GET v1/models HTTP/1.1", 400, "slash"),
                line("fragment", "GET /a#b HTTP/1.1", 400, "position 2"),
                line("backslash", "GET /a\\b HTTP/1.1", 400, "position 2"),
                line("byte over 0x7e", "GET /caf\u00e9 HTTP/1.1", 400, "not ASCII"),
                line("encoded NUL", "GET /a%00 HTTP/1.1", 400, "NUL"),
                line("NUL", "GET /a\u0000b HTTP/1.1", 400, "control character"),
                line("DEL", "GET /a\u007fb HTTP/1.1", 400, "control character"),
                // Separators of the request line
                line("two spaces", "GET  / HTTP/1.1", 400, "one space"),
                line("two spaces before the version", "GET /  HTTP/1.1", 400, "one space"),
                line("a third part", "GET / x HTTP/1.1", 400, "one space"),
                line("trailing space", "GET / HTTP/1.1 ", 400, "one space"),
                line("tab", "GET\t/ HTTP/1.1", 400, "control character"),
                line("vertical tab", "GET /\u000bHTTP/1.1", 400, "control character"),
                line("leading space", " GET / HTTP/1.1", 400, "before the request line"),
                line("method with a comma", "GE,T / HTTP/1.1", 400, ""),
                new Case("leading LF", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "before the request line"),
                new Case("leading CR", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "before the request line"),
                new Case("three leading CRLF", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "empty lines"),
                new Case("a thousand leading CRLF", "\r\n".repeat(1000), 400, "empty lines"),
                // Header lines
                fields("space before the colon", "X-A : 1\r\n", 400, ""),
                fields("no colon", "X-A\r\n", 400, ""),
                fields("empty name", ": 1\r\n", 400, ""),
                fields("space in a name", "X A: 1\r\n", 400, ""),
                fields("folded line", "X-A: 1\r\n 2\r\n", 400, "folded"),
                fields("folded line with a tab", "X-A: 1\r\n\t2\r\n", 400, "folded"),
                fields("folded length", "Content-Length: 1\r\n 0\r\n", 400, "folded"),
                head("folded first line", " Host: a\r\n", 400, "folded"),
                fields("NUL in a value", "X-A: 1\u00002\r\n", 400, ""),
                fields("CR in a value", "X-A: 1\r2\r\n", 400, ""),
                fields("DEL in a value", "X-A: 1\u007f2\r\n", 400, ""),
                fields("bare LF", "X-A: 1\nX-B: 2\r\n", 400, ""),
                new Case("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, ""),
                new Case("bare LF at the end of the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, ""),
                fields("more than 100 fields", "X-A: 1\r\n".repeat(100), 431, "100"),
                fields("16 KiB of fields", "X-A: " + "a".repeat(17_000) + "\r\n", 431, "too large"),
                line("8 KiB of target", "GET /" + "a".repeat(9000) + " HTTP/1.1", 414, "too long"),
                // Framing
                body("length and chunked", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 400, ""),
                body("chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n", 400, ""),
                body("gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", 501, "chunked"),
                body("identity, chunked", "Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n", 501, "chunked"),
                body("chunked, identity", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n", 400, "chunked"),
                body("identity", "Transfer-Encoding: identity\r\n", "", 400, "chunked"),
                body("xchunked", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n", 400, "chunked"),
                body("chunked twice", "Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n", 400, "chunked"),
                body(
                        "two chunked fields",
                        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                        "0\r\n\r\n",
                        400,
                        "chunked"),
                new Case(
                        "chunked on HTTP/1.0",
                        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        400,
                        ""),
                body("length +5", "Content-Length: +5\r\n", "hello", 400, ""),
                body("length -1", "Content-Length: -1\r\n", "hello", 400, ""),
                body("length 5,5", "Content-Length: 5,5\r\n", "hello", 400, ""),
                body("length 5, 6", "Content-Length: 5, 6\r\n", "hello", 400, ""),
                body("length 0x5", "Content-Length: 0x5\r\n", "hello", 400, ""),
                body("length 5x", "Content-Length: 5x\r\n", "hello", 400, ""),
                body("empty length", "Content-Length:\r\n", "hello", 400, ""),
                body("huge length", "Content-Length: 99999999999999999999\r\n", "hello", 400, ""),
                body("two lengths", "Content-Length: 5\r\nContent-Length: 5\r\n", "hello", 400, ""),
                body("two different lengths", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello", 400, ""),
                old("two lengths on HTTP/1.0", "Content-Length: 0\r\nContent-Length: 5\r\n"),
                old("two equal lengths on HTTP/1.0", "Content-Length: 5\r\nContent-Length: 5\r\n"),
                old("a list of lengths on HTTP/1.0", "Content-Length: 5, 0\r\n"),
                old("a list of equal lengths on HTTP/1.0", "Content-Length: 5,5\r\n"),
                old("two lengths in another case on HTTP/1.0", "content-length: 0\r\nCONTENT-LENGTH: 5\r\n"),
                body("length over the limit", "Content-Length: 99999999\r\n", "", 413, "33554432"),
                bodied("GET with a length", "GET", "Content-Length: 5\r\n", "hello", "GET"),
                bodied("GET with chunks", "GET", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "GET"),
                bodied("HEAD with a length", "HEAD", "Content-Length: 5\r\n", "hello", null),
                bodied("TRACE with a length", "TRACE", "Content-Length: 5\r\n", "hello", "TRACE"),
                // Chunks
                chunks("size of no digits", "\r\n", 400, "chunk size"),
                chunks("size that is none", "xyz\r\n", 400, "chunk size"),
                chunks("signed size", "+5\r\nhello\r\n0\r\n\r\n", 400, "chunk size"),
                chunks("0x size", "0x5\r\nhello\r\n0\r\n\r\n", 400, "chunk size"),
                chunks("space behind the size", "5 \r\nhello\r\n0\r\n\r\n", 400, "chunk size"),
                chunks("space before the size", " 5\r\nhello\r\n0\r\n\r\n", 400, "chunk size"),
                chunks("tab behind the size", "5\t\r\nhello\r\n0\r\n\r\n", 400, "chunk size"),
                chunks("digits behind a space", "5 5\r\nhello\r\n0\r\n\r\n", 400, "chunk size"),
                chunks("300 leading zeros", "0".repeat(300) + "5\r\nhello\r\n0\r\n\r\n", 400, "chunk size"),
                chunks("size over 2^60", "ffffffffffffffff\r\nhello", 400, "chunk size"),
                chunks("size ended by LF", "5\nhello\r\n0\r\n\r\n", 400, "chunk size"),
                chunks("chunk longer than its size", "5\r\nhello!\r\n0\r\n\r\n", 400, "chunk framing"),
                chunks("chunk ended by LF", "5\r\nhello\n0\r\n\r\n", 400, "chunk framing"),
                chunks("long extension", "5;" + "x".repeat(65) + "\r\nhello\r\n0\r\n\r\n", 413, "extension"),
                chunks("many extensions", ("5;" + "x".repeat(60) + "\r\nhello\r\n").repeat(18), 413, "extension"),
                chunks("LF in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", 400, "extension"),
                chunks("CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", 400, "chunk framing"),
                chunks("NUL in an extension", "5;a\u0000b\r\nhello\r\n0\r\n\r\n", 400, "extension"),
                chunks("cut quoted extension", "0;a=\"x\r\ny\"\r\n\r\n", 400, "extension"),
                chunks("control byte in an extension", "0;a\u0001\r\n\r\n", 400, "extension"),
                chunks("trailer without a colon", "0\r\nX\r\n\r\n", 400, "trailer"),
                chunks("trailer with a space first", "0\r\n X: y\r\n\r\n", 400, "trailer"),
                chunks("folded trailer", "0\r\nX: y\r\n z\r\n\r\n", 400, "trailer"),
                chunks("trailer with a space before the colon", "0\r\nX : y\r\n\r\n", 400, "trailer"),
                chunks("NUL in a trailer", "0\r\nX: \u0000\r\n\r\n", 400, "trailer"),
                chunks("control byte in a trailer", "0\r\nX: \u0002\r\n\r\n", 400, "trailer"),
                chunks("LF in a trailer", "0\r\nX: 1\n\r\n\r\n", 400, "trailer"),
                chunks("long trailers", "0\r\n" + ("X: " + "1".repeat(1000) + "\r\n").repeat(9), 400, "trailer"),
                // Upgrades
                fields("WebSocket", "Connection: Upgrade\r\nUpgrade: websocket\r\n", 501, "WebSocket"),
                fields("two protocols", "Connection: keep-alive, upgrade\r\nUpgrade: h2c, x\r\n", 501, "WebSocket"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void refusesAndCloses(Case refused) throws IOException {
        for (boolean bytewise : new boolean[] {false, true}) {
            int before = harness.mock.requests().size();
            try (var client = harness.client()) {
                send(client, refused.bytes(), bytewise);
                String head = client.readHead();
                assertThat(RawClient.header(head, "connection")).isEqualTo("close");
                assertThat(RawClient.header(head, "content-type")).isEqualTo("application/json");
                if (refused.says() != null) {
                    RawClient.Response response = client.readBody(head);
                    assertThat(response.status()).as(response.text()).isEqualTo(refused.status());
                    assertThat(response.text()).startsWith("{\"error\":{\"message\":\"");
                    assertThat(response.text()).contains(refused.says());
                }
                assertThat(client.read()).isEqualTo(-1);
            }
            assertThat(harness.mock.requests()).hasSize(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/responses", "/v1/responses?x=1", "/backend/codex/responses"})
    void tellsWebSocketProbesOfResponsesToUseHttp(String path) throws IOException {
        for (String upgrade : new String[] {"websocket", "WebSocket", "h2c, websocket"}) {
            try (var client = harness.client()) {
                client.sendRaw("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: " + upgrade
                        + "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
                String head = client.readHead();
                assertThat(head).startsWith("HTTP/1.1 426 Upgrade Required\r\n");
                assertThat(RawClient.header(head, "upgrade")).isEqualTo("HTTP/1.1");
                assertThat(RawClient.header(head, "content-type")).isEqualTo("application/json");
                assertThat(client.readBody(head).text())
                        .startsWith("{\"error\":{\"message\":\"")
                        .contains("\"code\":\"upgrade_not_supported\"");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/realtime", "/v1/chat/completions", "/"})
    void refusesOtherUpgrades(String path) throws IOException {
        try (var client = harness.client()) {
            client.sendRaw("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(501);
        }
        try (var client = harness.client()) {
            client.sendRaw("GET /v1/responses HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: irc/6.9\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(501);
        }
    }

    @Test
    void shapesRefusalsByTheDialectOfThePath() throws IOException {
        assertThat(refusal("POST /v1/messages HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n"))
                .startsWith("{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\"");
        assertThat(refusal("POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"))
                .startsWith("{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\"");
        assertThat(refusal("POST /v1beta/models/m:generateContent HTTP/1.1\r\n\r\n"))
                .startsWith("{\"error\":{\"code\":400")
                .contains("INVALID_ARGUMENT");
    }

    @Test
    void refusesTheSecondRequestOfAConnectionAfterServingTheFirst() throws IOException {
        int before = harness.mock.requests().size();
        try (var client = harness.client()) {
            client.sendRaw(
                    "GET /echo HTTP/1.1\r\nHost: a\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(client.readAll().status()).isEqualTo(400);
            assertThat(client.read()).isEqualTo(-1);
        }
        assertThat(harness.mock.requests()).hasSize(before + 1);
    }

    @Test
    void refusesWhatFollowsABodyOfTheWrongLength() throws IOException {
        int before = harness.mock.requests().size();
        try (var client = harness.client()) {
            client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nhello");
            assertThat(client.readAll().status()).isEqualTo(200);
            client.sendRaw(" GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(400);
        }
        assertThat(harness.mock.requests()).hasSize(before + 1);
    }

    private static String refusal(String request) throws IOException {
        try (var client = harness.client()) {
            client.sendRaw(request);
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(400);
            return response.text();
        }
    }

    static void send(RawClient client, String bytes, boolean bytewise) throws IOException {
        if (!bytewise) {
            client.sendRaw(bytes);
            return;
        }
        client.socket().setTcpNoDelay(true);
        byte[] octets = bytes.getBytes(StandardCharsets.ISO_8859_1);
        for (byte octet : octets) {
            client.socket().getOutputStream().write(octet);
        }
    }

    private static Case line(String name, String requestLine, int status, String says) {
        return new Case(name, requestLine + "\r\nHost: a\r\n\r\n", status, says);
    }

    private static Case head(String name, String fields, int status, String says) {
        return new Case(name, "GET /v1/models HTTP/1.1\r\n" + fields + "\r\n", status, says);
    }

    private static Case fields(String name, String fields, int status, String says) {
        return head(name, "Host: a\r\n" + fields, status, says);
    }

    private static Case body(String name, String framing, String body, int status, String says) {
        return new Case(name, "POST " + PATH + " HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n" + body, status, says);
    }

    private static Case old(String name, String lengths) {
        String smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        String head = "POST " + PATH + " HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n";
        return new Case(name, head + lengths + "\r\n" + smuggled, 400, "Content-Length");
    }

    private static Case bodied(String name, String method, String framing, String body, String says) {
        return new Case(name, method + " " + PATH + " HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n" + body, 400, says);
    }

    private static Case chunks(String name, String chunks, int status, String says) {
        return body(name, "Transfer-Encoding: chunked\r\n", chunks, status, says);
    }
}
