package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.RelayServer;
import io.millrace.server.config.Health;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.Http2Mock;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2Error;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What clients read of failures behind the relay, in every dialect: words of ours, without the addresses of upstreams,
 * and without words of the system, of Java or of Netty. Those are for the log.
 */
@Tag("sockets")
@Tag("h2")
class ErrorWordsTest {
    private static final Pattern ADDRESS = Pattern.compile("127\\.0\\.0\\.1|localhost|\\.invalid");
    private static final Pattern FOREIGN =
            Pattern.compile("(?i)netty|exception|\\bjava|errno|error\\(|\\(\\.\\.\\)|syscall"
                    + "|\\bnull\\b|channel|stream \\d|input string|@[0-9a-f]{6}|:\\d{4,5}\\b");

    /** Faults of the mock; each answer is an error, or ends with one. */
    private static final List<String> FAULTS = List.of(
            "close_on_accept=1",
            "reset_after=0",
            "reset_after=2",
            "eof_after=2",
            "end_after=2",
            "end_at_byte=40",
            "reset_at_byte=40",
            "garbage_head=1",
            "garbage_chunk_after=2",
            "empty=1",
            "stall_after=2",
            "stall_after=0",
            "content_type=text/plain,eof_after=1",
            "gzip=1,eof_after=2");

    /** Heads and bodies of upstreams that are not those of HTTP. */
    private static final List<String> GARBAGE = List.of(
            "HTTP/1.1 abc OK\r\n\r\n",
            "HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nBad\u0001Name: x\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: " + "x".repeat(70_000) + "\r\n\r\n",
            "HTTP/1.1 200 " + "x".repeat(10_000) + "\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nno gzip!!");

    private static RelayHarness harness;

    @BeforeAll
    static void start() {
        harness = RelayHarness.start(config -> quick(config));
    }

    @AfterAll
    static void stop() {
        harness.close();
    }

    private static RelayConfig quick(RelayConfig config) {
        return RelayHarness.withTimeouts(
                RelayHarness.withRetry(config.with(c -> c.accessLog = AccessLog.OFF), Retry.OFF),
                Timeouts.DEFAULT.with(t -> t.ttft = Duration.ofMillis(500)).with(t -> t.idle = Duration.ofMillis(500)));
    }

    private static RelayServer relayTo(Upstream upstream) {
        var neverEjected = Health.DEFAULT.with(h -> h.consecutiveFailures = 0).with(h -> h.failureRate = 0);
        return RelayHarness.serve(quick(RelayConfig.relayTo(upstream.with(u -> u.health = neverEjected))));
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void areOursWhereTheMockFails(Api api) throws IOException {
        for (String fault : FAULTS) {
            assertOurs(api, fault, harness.stream(api.path, "tokens=5," + fault));
        }
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void areOursWhereThereIsNoConnection(Api api) throws IOException {
        int dead;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            dead = socket.getLocalPort();
        }
        for (String url : List.of(
                "http://127.0.0.1:" + dead,
                "https://localhost:" + dead,
                "http://model-server.invalid:8000",
                "https://localhost:" + harness.mock.port(),
                "http://unix:/run/no-such-socket.invalid:")) {
            try (RelayServer relay = relayTo(Upstream.of("inner", URI.create(url)))) {
                RawClient.Response response = ask(relay, api);
                assertOurs(api, url, response);
                assertThat(response.text()).contains("inner");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void areOursWhereNoHttpComes(Api api) throws IOException {
        for (String garbage : GARBAGE) {
            try (var upstream = ScriptedUpstream.answeringAndClosing(garbage);
                    RelayServer relay = relayTo(Upstream.of("inner", upstream.uri()))) {
                assertOurs(api, garbage.substring(0, Math.min(90, garbage.length())), ask(relay, api));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void areOursWhereNoHttp2Comes(Api api) throws IOException {
        List<Http2Mock.Script> scripts = List.of(
                request -> request.reset(Http2Error.INTERNAL_ERROR),
                request -> request.stream().data("data: {").reset(Http2Error.CANCEL),
                request -> request.head(999, false),
                request -> request.head(200, false, "content-length", "3")
                        .data("too long")
                        .end(),
                request -> request.connection().goAway(0, Http2Error.ENHANCE_YOUR_CALM),
                request -> request.connection().close(),
                // A frame that is longer than allowed, DATA on a stream that there is not, and no frame at all.
                request -> request.connection().raw(Unpooled.copyInt(0x7FFFFF00, 0x00000000, 0x01000000)),
                request -> request.connection().raw(Unpooled.wrappedBuffer(new byte[] {0, 0, 1, 0, 0, 0, 0, 0, 9, 1})),
                request -> request.connection()
                        .raw(Unpooled.wrappedBuffer(new byte[] {0, 0, 3, 4, 0, 0, 0, 0, 0, 1, 2, 3})));
        for (int at = 0; at < scripts.size(); at++) {
            try (var upstream = Http2Mock.start(scripts.get(at));
                    RelayServer relay = relayTo(Upstream.of("inner", upstream.uri())
                            .with(u -> u.http = u.http.with(h -> h.version = Upstream.Http.Version.HTTP_2)))) {
                assertOurs(api, "script " + at, ask(relay, api));
            }
        }
    }

    private static RawClient.Response ask(RelayServer relay, Api api) throws IOException {
        try (var client = new RawClient(relay.addresses().get(0).getPort())) {
            client.post(api.path, "m", "");
            return client.readAll();
        }
    }

    private static void assertOurs(Api api, String fault, RawClient.Response response) {
        String text = response.text();
        String place = api + ", " + fault + ": " + text;
        assertThat(text).as(place).contains("\"error\":{").doesNotContainPattern(ADDRESS);
        String told;
        if (response.status() == 200) {
            List<byte[]> frames = response.frames();
            told = api.failureOf(new String(frames.get(frames.size() - 1), StandardCharsets.UTF_8))
                    .message();
        } else {
            assertThat(response.status()).as(place).isBetween(500, 599);
            told = api.refusalOf(text).message();
        }
        assertThat(told).as(place).doesNotContainPattern(FOREIGN).doesNotContainPattern(ADDRESS);
    }
}
