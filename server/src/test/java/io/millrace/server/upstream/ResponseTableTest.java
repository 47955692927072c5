package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Responses that are not HTTP, or not the HTTP that was asked for, and the answers of this client and the next one. */
@Tag("sockets")
class ResponseTableTest {
    private static final String PATH = "/v1/chat/completions";
    private static final String SSE = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    private static final String CHUNKED = SSE + "Transfer-Encoding: chunked\r\n\r\n";
    private static final String OUTPUT =
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_reason\":null}]}\n\n";
    private static final String DONE = "data: [DONE]\n\n";
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

    private static RelayServer relay;

    /** What the upstream answers every request with, before it closes. */
    record Case(String name, String response) {
        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    static void start() {
        relay = RelayServer.start(config(URI.create("http://127.0.0.1:9")));
    }

    @AfterAll
    static void stop() {
        relay.close();
    }

    static Stream<Case> garbage() {
        return Stream.of(
                new Case("nothing", ""),
                new Case("no HTTP", "\u0000\u0007<<<this is not HTTP>>>\r\n\r\n"),
                new Case("half a status line", "HTTP/1.1 20"),
                new Case("half a head", "HTTP/1.1 200 OK\r\nContent-Ty"),
                new Case("status 99", "HTTP/1.1 99 Low\r\n\r\n"),
                new Case("status 600", "HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n"),
                new Case("status 999", "HTTP/1.1 999 High\r\nContent-Length: 0\r\n\r\n"),
                new Case("status 99999", "HTTP/1.1 99999 High\r\nContent-Length: 0\r\n\r\n"),
                new Case("status that is no number", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
                new Case("negative status", "HTTP/1.1 -20 OK\r\nContent-Length: 0\r\n\r\n"),
                new Case("unsolicited 101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes"),
                new Case("nine interim responses", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(9) + OK),
                new Case("only an interim response", "HTTP/1.1 103 Early Hints\r\n\r\n"),
                new Case("HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
                new Case("lower-case version", "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                new Case(
                        "length and chunked", SSE + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                new Case("xchunked", SSE + "Transfer-Encoding: xchunked\r\n\r\n" + OUTPUT + DONE),
                new Case("gzip, chunked", SSE + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
                new Case("chunked twice", SSE + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
                new Case("two lengths", SSE + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
                new Case("two equal lengths", SSE + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
                new Case("a list of lengths", SSE + "Content-Length: 5, 6\r\n\r\nhello"),
                new Case(
                        "two lengths on HTTP/1.0",
                        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello"),
                new Case("a list of lengths on HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2, 5\r\n\r\nhello"),
                new Case(
                        "two equal lengths on HTTP/1.0",
                        "HTTP/1.0 200 OK\r\ncontent-length: 5\r\nContent-Length: 5\r\n\r\nhello"),
                new Case("digits behind a blank", CHUNKED + "5 5\r\n"),
                new Case("length that is no number", SSE + "Content-Length: 5x\r\n\r\nhello"),
                new Case("bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
                new Case("NUL in a value", "HTTP/1.1 200 OK\r\nX-A: 1\u00002\r\nContent-Length: 2\r\n\r\nok"),
                new Case("CR in a value", "HTTP/1.1 200 OK\r\nX-A: 1\r2\r\nContent-Length: 2\r\n\r\nok"),
                new Case("header over 64 KiB", "HTTP/1.1 200 OK\r\nX-A: " + "a".repeat(70_000) + "\r\n\r\n"),
                new Case("status line over 8 KiB", "HTTP/1.1 200 " + "a".repeat(9_000) + "\r\n\r\n"),
                new Case("unknown coding of a stream", SSE + "Content-Encoding: br\r\nContent-Length: 4\r\n\r\nbrbr"),
                new Case(
                        "two codings of a stream", SSE + "Content-Encoding: gzip, gzip\r\nContent-Length: 2\r\n\r\nxx"),
                new Case("corrupt gzip", SSE + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
                new Case("chunk size that is none", CHUNKED + "zz\r\n"),
                new Case("chunk size over 2^60", CHUNKED + "ffffffffffffffffff\r\n"),
                new Case("stream that ends at once", CHUNKED + "0\r\n\r\n"),
                new Case("stream of no bytes", SSE + "Content-Length: 0\r\n\r\n"),
                new Case("stream of half a frame", SSE + "Content-Length: 8\r\n\r\ndata: {\""));
    }

    @ParameterizedTest
    @MethodSource("garbage")
    void answers502BeforeTheFirstFrame(Case garbage) throws IOException {
        try (var upstream = ScriptedUpstream.answeringAndClosing(garbage.response());
                var client = client(upstream)) {
            for (int i = 1; i <= 2; i++) {
                client.post(PATH, "m", "");
                RawClient.Response response = client.readAll();
                assertThat(response.status())
                        .as(response.head() + response.text())
                        .isEqualTo(502);
                assertThat(response.header("content-type")).isEqualTo("application/json");
                assertThat(response.text()).startsWith("{\"error\":{\"message\":\"The upstream");
                assertThat(response.header("x-millrace-request-id")).startsWith("mr-");
                assertThat(upstream.connections()).isEqualTo(i);
                // A whole body leaves a connection that the next request could still meet.
                int ended = i;
                await().until(() -> upstream.closed() == ended);
            }
        }
    }

    static Stream<Case> broken() {
        String begun = CHUNKED + chunk(OUTPUT);
        return Stream.of(
                new Case("end between chunks", begun),
                new Case("end inside a chunk", begun + "20\r\ndata: "),
                new Case("end inside a chunk size", begun + "2"),
                new Case("end before the last chunk's line", begun + "0\r\n"),
                new Case("last chunk without a terminal", begun + "0\r\n\r\n"),
                new Case("chunk size that is none", begun + "zz\r\n"),
                new Case("chunk longer than its size", begun + "2\r\nabc\r\n"),
                new Case("short of its length", SSE + "Content-Length: 9999\r\n\r\n" + OUTPUT),
                new Case(
                        "a length without a terminal",
                        SSE + "Content-Length: " + OUTPUT.length() + "\r\n\r\n" + OUTPUT),
                new Case("delimited by close", SSE + "\r\n" + OUTPUT));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void sendsAnErrorFrameAfterTheFirstFrame(Case broken) throws IOException {
        try (var upstream = ScriptedUpstream.answeringAndClosing(broken.response())) {
            for (int i = 1; i <= 2; i++) {
                try (var client = client(upstream)) {
                    client.post(PATH, "m", "");
                    RawClient.Response response = client.readAll();
                    assertThat(response.status())
                            .as(response.head() + response.text())
                            .isEqualTo(200);
                    assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
                    assertThat(response.text()).startsWith(OUTPUT);
                    assertThat(response.text().substring(OUTPUT.length()))
                            .startsWith("data: {\"error\":")
                            .doesNotContain("[DONE]")
                            .endsWith("\n\n");
                    assertThat(upstream.connections()).isEqualTo(i);
                }
                // A request that is on its way when its pooled connection is closed fails, for nothing is tried again
                // here.
                int ended = i;
                await().until(() -> upstream.closed() == ended);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Content-Length: 10\r\n"})
    void completesAStreamWhoseTerminalCame(String framing) throws IOException {
        try (var upstream = ScriptedUpstream.answeringAndClosing(SSE + framing + "\r\n" + OUTPUT + DONE);
                var client = client(upstream)) {
            client.post(PATH, "m", "");
            RawClient.Response response = client.readAll();
            if (framing.isEmpty()) {
                assertThat(response.text()).isEqualTo(OUTPUT + DONE);
                assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            } else {
                assertThat(response.status()).isEqualTo(502);
            }
        }
    }

    @Test
    void resetsAPlainResponseThatBreaksOff() throws IOException {
        try (var upstream =
                        ScriptedUpstream.answeringAndClosing("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
                var client = client(upstream)) {
            client.send("GET", "/v1/models", "");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.end()).isIn(RawClient.End.RESET, RawClient.End.TRUNCATED);
            assertThat(response.text().length()).isLessThanOrEqualTo(5);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"%x \r\n", "%x\t\r\n", "%x        \r\n", "%x;a\r\n", "%x ;a=\"b c\"\r\n", "%x ; a = b\r\n"})
    void takesWhiteSpaceAndExtensionsBehindChunkSizes(String size) throws IOException {
        String plain = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
        String last = size.formatted(0) + "\r\n";
        String stream = CHUNKED + size.formatted(OUTPUT.length()) + OUTPUT + "\r\n" + size.formatted(DONE.length())
                + DONE + "\r\n" + last;
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(stream);
                    connection.readRequest();
                    connection.send(plain + size.formatted(5) + "hello\r\n" + size.formatted(6) + " world\r\n" + last);
                    connection.readRequest();
                    connection.send(OK);
                });
                var client = client(upstream)) {
            client.post(PATH, "m", "");
            assertThat(client.readAll().text()).isEqualTo(OUTPUT + DONE);
            client.send("GET", "/v1/models", "");
            assertThat(client.readAll().text()).isEqualTo("hello world");
            client.send("GET", "/v1/models", "");
            assertThat(client.readAll().text()).isEqualTo("ok");
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "5 5\r\nhello\r\n0\r\n\r\n",
                "5\r\nhello!\r\n0\r\n\r\n",
                "5\r\nhello\r\nx\r\n",
                "5\r\nhello\n0\r\n\r\n"
            })
    void neverPassesABodyOfBadChunksForWhole(String chunks) throws IOException {
        String head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
        try (var upstream = ScriptedUpstream.answeringAndClosing(head + chunks);
                var client = client(upstream)) {
            client.send("GET", "/v1/models", "");
            RawClient.Response response = client.readBody(client.readHead());
            assertThat(response.status() == 200 && response.end() == RawClient.End.COMPLETE)
                    .as(response.head() + response.text())
                    .isFalse();
        }
    }

    @Test
    void skipsInterimResponses() throws IOException {
        try (var upstream = ScriptedUpstream.answering("HTTP/1.1 100 Continue\r\n\r\n"
                        + "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(7) + OK);
                var client = client(upstream)) {
            for (int i = 0; i < 2; i++) {
                client.send("GET", "/v1/models", "");
                RawClient.Response response = client.readAll();
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.header("link")).isNull();
                assertThat(response.text()).isEqualTo("ok");
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    /** The second response of a connection belongs to nobody. */
    static List<String> unsolicited() {
        String poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
        return List.of(
                poison, "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 2", "x", "\r\n", "HTTP/1.1 100 Continue\r\n\r\n");
    }

    @ParameterizedTest
    @MethodSource("unsolicited")
    void neverGivesAnUnaskedResponseToTheNextRequest(String poison) throws IOException {
        for (String asked : List.of(OK, CHUNKED + chunk(OUTPUT + DONE) + "0\r\n\r\n")) {
            try (var upstream = poisoned(asked + poison);
                    var client = client(upstream)) {
                client.post(PATH, "first", "");
                assertThat(client.readAll().status()).isEqualTo(200);
                client.post(PATH, "second", "");
                RawClient.Response second = client.readAll();
                assertThat(second.text()).isEqualTo("clean");
                assertThat(upstream.connections()).isEqualTo(2);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("unsolicited")
    void neverGivesAnUnaskedResponseToAPipelinedRequest(String poison) throws IOException {
        for (String asked : List.of(OK, CHUNKED + chunk(OUTPUT + DONE) + "0\r\n\r\n")) {
            try (var upstream = poisoned(asked + poison);
                    var client = client(upstream)) {
                String request = "POST " + PATH + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
                client.sendRaw(request + request);
                assertThat(client.readAll().status()).isEqualTo(200);
                assertThat(client.readAll().text()).isEqualTo("clean");
                assertThat(upstream.connections()).isEqualTo(2);
            }
        }
    }

    @Test
    void closesAPooledConnectionOnTheFirstUnaskedByte() throws Exception {
        var closed = new CompletableFuture<Integer>();
        var go = new CountDownLatch(1);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send(OK);
                    awaitUninterruptibly(go);
                    connection.send("H");
                    closed.complete(connection.read());
                });
                var client = client(upstream)) {
            client.send("GET", "/v1/models", "");
            assertThat(client.readAll().text()).isEqualTo("ok");
            go.countDown();
            assertThat(closed.get(5, TimeUnit.SECONDS)).isEqualTo(-1);
        }
    }

    private static ScriptedUpstream poisoned(String first) throws IOException {
        return ScriptedUpstream.start(connection -> {
            boolean fresh = connection.number() > 1;
            while (connection.readRequest() != null) {
                connection.send(fresh ? OK.replace("2\r\n\r\nok", "5\r\n\r\nclean") : first);
            }
        });
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String chunk(String body) {
        return Integer.toHexString(body.length()) + "\r\n" + body + "\r\n";
    }

    /** A connection to the relay, which relays to {@code upstream} from now on. */
    private static RawClient client(ScriptedUpstream upstream) throws IOException {
        relay.reload(config(upstream.uri()));
        return new RawClient(relay.addresses().get(0).getPort());
    }

    private static RelayConfig config(URI upstream) {
        RelayConfig config = RelayConfig.relayTo(upstream)
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1);
        return RelayHarness.withRetry(
                RelayHarness.withTimeouts(config, config.timeouts().with(t -> t.terminalGrace = Duration.ofSeconds(5))),
                Retry.DEFAULT.with(r -> r.attempts = 1));
    }
}
