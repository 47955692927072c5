package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.Http2Mock;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One relay, and an upstream over HTTP/2 by prior knowledge. The contracts are those of HTTP/1.1. */
@Tag("sockets")
@Tag("h2")
class Http2UpstreamTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String FRAME = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    private static final String DONE = "data: [DONE]\n\n";

    @Test
    void relaysAStream() throws IOException {
        try (var upstream = Http2Mock.start(
                        request -> request.stream().data(FRAME).data(DONE).end());
                var relay = relay(upstream.uri());
                var client = client(relay)) {
            for (int i = 0; i < 3; i++) {
                client.post(CHAT, "m", "");
                RawClient.Response response = client.readAll();
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.text()).isEqualTo(FRAME + DONE);
                assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            }
            assertThat(upstream.connections()).hasSize(1);
            Http2Mock.Request request = upstream.requests().get(0);
            assertThat(request.head().method()).hasToString("POST");
            assertThat(request.head().scheme()).hasToString("http");
            assertThat(request.head().authority()).hasToString("127.0.0.1:" + upstream.port());
            assertThat(request.path()).isEqualTo(CHAT);
            assertThat(request.body()).contains("\"model\":\"m\"");
            assertThat(request.head().contains("host")).isFalse();
            assertThat(upstream.resetOf(request)).isNull();
        }
    }

    @Test
    void cancelsOneStreamOfMany() throws IOException {
        try (var upstream = Http2Mock.start(request -> request.stream().data(FRAME));
                var relay = relay(upstream.uri());
                var stays = client(relay)) {
            stays.post(CHAT, "m", "");
            await().until(() -> upstream.requests().size() == 1);
            var leaves = client(relay);
            leaves.post(CHAT, "m", "");
            await().until(() -> upstream.requests().size() == 2);
            assertThat(leaves.read()).isNotNegative();
            leaves.close();
            Http2Mock.Request left = upstream.requests().get(1);
            await().until(() -> upstream.resetOf(left) != null);
            assertThat(upstream.resetOf(left)).isEqualTo(Http2Error.CANCEL.code());
            upstream.requests().get(0).data(DONE).end();
            assertThat(stays.readAll().text()).isEqualTo(FRAME + DONE);
            assertThat(upstream.connections()).hasSize(1);
            assertThat(upstream.openConnections()).isEqualTo(1);
        }
    }

    @Test
    void putsTwentyRequestsOnAConnectionAndOpensAnother() throws IOException {
        var clients = new ArrayList<RawClient>();
        try (var upstream = Http2Mock.start(request -> request.stream().data(FRAME));
                var relay = relay(upstream.uri())) {
            for (int i = 0; i < 60; i++) {
                clients.add(client(relay));
                clients.get(i).post(CHAT, "m", "");
            }
            await().until(() -> upstream.requests().size() == 60);
            assertThat(upstream.connections())
                    .extracting(Http2Mock.Connection::activeStreams)
                    .containsExactly(20, 20, 20);
            upstream.requests().forEach(request -> request.data(DONE).end());
            for (RawClient client : clients) {
                assertThat(client.readAll().text()).isEqualTo(FRAME + DONE);
                client.close();
            }
        }
    }

    @Test
    void asksNoMoreThanTheUpstreamAllows() throws IOException {
        var clients = new ArrayList<RawClient>();
        try (var upstream = Http2Mock.start(
                        new Http2Settings().maxConcurrentStreams(2),
                        request -> request.stream().data(FRAME));
                var relay = relay(upstream.uri())) {
            try (var first = client(relay)) {
                first.post(CHAT, "m", "");
                first.readUntil(FRAME); // its settings are known
                for (int i = 0; i < 5; i++) {
                    clients.add(client(relay));
                    clients.get(i).post(CHAT, "m", "");
                    int asked = i + 2;
                    await().until(() -> upstream.requests().size() == asked);
                }
                assertThat(upstream.connections())
                        .extracting(Http2Mock.Connection::activeStreams)
                        .containsExactly(2, 2, 2);
            }
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    /** Far more than the windows hold is sent to each. Those that are not read yet fill the windows of their streams. */
    @Test
    void slowClientStallsNoNeighbour() throws IOException {
        byte[] frame = ("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + "x".repeat(8000) + "\"}}]}\n\n")
                .getBytes(StandardCharsets.UTF_8);
        int frames = 150;
        int many = 2000;
        var clients = new ArrayList<RawClient>();
        try (var upstream = Http2Mock.start(request -> {
                    request.stream();
                    for (int i = 0; i < (request.body().contains("slow") ? many : frames); i++) {
                        request.data(frame, false);
                    }
                    request.data(DONE).end();
                });
                var relay = relay(upstream.uri());
                var slow = client(relay)) {
            slow.post(CHAT, "slow", "");
            await().until(() -> upstream.requests().size() == 1);
            for (int i = 0; i < 19; i++) {
                clients.add(client(relay));
                clients.get(i).post(CHAT, "m", "");
            }
            for (RawClient client : clients) {
                RawClient.Response response = client.readAll();
                assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
                assertThat(response.body()).hasSize(frames * frame.length + DONE.length());
                client.close();
            }
            assertThat(upstream.connections()).hasSize(1);
            assertThat(upstream.connections().get(0).activeStreams()).isEqualTo(1);
            assertThat(slow.readAll().body()).hasSize(many * frame.length + DONE.length());
            await().until(() -> upstream.connections().get(0).activeStreams() == 0);
        }
    }

    @Test
    void requestBodyWaitsForTheUpstreamsWindow() throws IOException {
        try (var upstream = Http2Mock.start(
                        new Http2Settings().initialWindowSize(0),
                        request -> request.head(200, false, "content-type", "text/plain")
                                .data(String.valueOf(request.body().length()))
                                .end());
                var relay = relay(upstream.uri());
                var client = client(relay)) {
            client.send("POST", "/v1/files", "x".repeat(200_000));
            await().until(() -> upstream.connections().size() == 1
                    && upstream.connections().get(0).activeStreams() == 1);
            assertThat(upstream.requests()).isEmpty();
            for (int window : new int[] {1, 1000, 100_000}) {
                upstream.connections().get(0).settings(new Http2Settings().initialWindowSize(window));
            }
            assertThat(client.readAll().text()).isEqualTo("200000");
        }
    }

    @Test
    void uploadOfUnknownLengthStreams() throws IOException {
        try (var upstream = Http2Mock.start(request -> request.head(200, false, "content-type", "text/plain")
                        .data(request.body())
                        .end());
                var relay = relay(upstream.uri());
                var client = client(relay)) {
            String much = "x".repeat(0x8000);
            client.sendRaw("POST /v1/files HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n" + much);
            await().until(() -> !upstream.connections().isEmpty()
                    && upstream.connections().get(0).activeStreams() == 1);
            client.sendRaw("\r\n3\r\ndef\r\n0\r\n\r\n");
            assertThat(client.readAll().text()).isEqualTo(much + "def");
            Http2Headers head = upstream.requests().get(0).head();
            assertThat(head.contains("transfer-encoding")).isFalse();
            assertThat(head.contains("content-length")).isFalse();
        }
    }

    @Test
    void earlyAnswerEndsTheUpload() throws IOException {
        try (var upstream = Http2Mock.start(new Http2Settings().initialWindowSize(10_000), request -> {});
                var relay = relay(upstream.uri());
                var client = client(relay)) {
            client.sendRaw(
                    "POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + "x".repeat(50_000));
            await().until(() -> !upstream.connections().isEmpty()
                    && upstream.connections().get(0).begun().size() == 1);
            Http2Mock.Request request = upstream.connections().get(0).begun().get(0);
            request.head(413, false, "content-length", "3").data("big").end();
            assertThat(client.readAll().text()).isEqualTo("big");
            await().until(() -> upstream.resetOf(request) != null);
            assertThat(upstream.resetOf(request)).isEqualTo(Http2Error.CANCEL.code());
            assertThat(upstream.openConnections()).isEqualTo(1);
        }
    }

    @Tag("h1") // the field Connection
    @Test
    void readsHeadsAndEmptyBodies() throws IOException {
        try (var upstream = Http2Mock.start(request -> {
                    if (request.path().equals("/204")) {
                        request.head(204, true);
                    } else if (request.head().method().toString().equals("HEAD")) {
                        request.head(200, true, "content-length", "77");
                    } else {
                        request.head(200, false, "content-type", "text/plain", "x-a", "1", "x-a", "2")
                                .data("body")
                                .headers(new DefaultHttp2Headers().add("x-trailer", "t"), true);
                    }
                });
                var relay = relay(upstream.uri());
                var client = client(relay)) {
            client.send("GET", "/204", "");
            assertThat(client.readHead()).startsWith("HTTP/1.1 204");
            client.send("HEAD", "/v1/x", "");
            assertThat(RawClient.header(client.readHead(), "content-length")).isEqualTo("77");
            client.send("GET", "/v1/x?a=b", "", "Cookie: a=1", "TE: trailers", "Connection: x-hop", "X-Hop: 1");
            RawClient.Response response = client.readAll();
            assertThat(response.text()).isEqualTo("body");
            assertThat(response.head().toLowerCase(Locale.ROOT))
                    .contains("x-a: 1\r\nx-a: 2")
                    .doesNotContain("x-trailer");
            Http2Headers head = upstream.requests().get(2).head();
            assertThat(head.path()).hasToString("/v1/x?a=b");
            assertThat(head.get("cookie")).hasToString("a=1");
            assertThat(head.contains("te")).isFalse();
            assertThat(head.contains("connection")).isFalse();
            assertThat(head.contains("x-hop")).isFalse();
        }
    }

    @Test
    void interimResponsesArePassedOver() throws IOException {
        try (var upstream = Http2Mock.start(request -> {
                    int interim = request.path().equals("/v1/many") ? 9 : 8;
                    for (int i = 0; i < interim; i++) {
                        request.head(103, false, "link", "</a>");
                    }
                    request.head(200, false, "content-type", "text/plain")
                            .data("ok")
                            .end();
                });
                var relay = relay(upstream.uri());
                var client = client(relay)) {
            client.send("GET", "/v1/some", "");
            assertThat(client.readAll().text()).isEqualTo("ok");
            client.send("GET", "/v1/many", "");
            assertThat(client.readAll().status()).isEqualTo(502);
        }
    }

    @Test
    void idleConnectionIsClosedWithGoAway() throws IOException {
        try (var upstream = Http2Mock.start(request -> request.head(204, true));
                var relay = relay(
                        config -> config.with(c -> c.upstreams =
                                Map.of("up", config.upstreams().get("up").with(u -> u.idle = Duration.ofMillis(50)))),
                        upstream.uri());
                var client = client(relay)) {
            client.send("GET", "/v1/x", "");
            assertThat(client.readHead()).startsWith("HTTP/1.1 204");
            await().until(() -> upstream.openConnections() == 0);
        }
    }

    @Test
    void hedgeTakesTheLoserBack() throws IOException {
        try (var silent = Http2Mock.start(request -> {});
                var quick = Http2Mock.start(
                        request -> request.stream().data(FRAME).data(DONE).end());
                var relay = relay(
                        config -> config.with(c -> c.routes = List.of(config.routes()
                                .get(0)
                                .with(r -> r.hedge = Hedge.P95.with(h -> {
                                    h.delay = Duration.ofMillis(30);
                                    h.maxShare = 1;
                                })))),
                        silent.uri(),
                        quick.uri())) {
            for (int i = 0; silent.requests().isEmpty() && i < 50; i++) {
                try (var client = client(relay)) {
                    client.post(CHAT, "m", "");
                    assertThat(client.readAll().text()).isEqualTo(FRAME + DONE);
                }
            }
            Http2Mock.Request lost = silent.requests().get(0);
            await().until(() -> silent.resetOf(lost) != null);
            assertThat(silent.openConnections()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("recordedStreams")
    void relaysEveryByteHoweverTheyCome(Path file) throws IOException {
        byte[] sent = Files.readAllBytes(file);
        var random = new SplittableRandom(sent.length);
        try (var upstream = Http2Mock.start(request -> {
                    request.stream();
                    for (int at = 0; at < sent.length; ) {
                        int to = Math.min(sent.length, at + 1 + random.nextInt(random.nextBoolean() ? 9 : 900));
                        request.data(Arrays.copyOfRange(sent, at, to), false);
                        at = to;
                    }
                    request.end();
                });
                var relay = relay(upstream.uri());
                var client = client(relay)) {
            client.post(ByteExactnessTest.path(file.getFileName().toString()), "m", "");
            RawClient.Response response = client.readAll();
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            ByteExactnessTest.assertSame(file.getFileName().toString(), sent, response.body(), "");
        }
    }

    static List<Path> recordedStreams() throws IOException {
        try (var files = Files.list(RelayHarness.STREAMS)) {
            return files.filter(file -> file.toString().endsWith(".sse"))
                    .sorted()
                    .toList();
        }
    }

    static RelayServer relay(URI... upstreams) {
        return relay(config -> config, upstreams);
    }

    static RelayServer relay(UnaryOperator<RelayConfig> change, URI... upstreams) {
        var upstream = Upstream.of("up", List.of(upstreams))
                .with(u -> u.http = Upstream.Http.DEFAULT.with(h -> h.version = Upstream.Http.Version.HTTP_2));
        var config = RelayConfig.relayTo(upstream)
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1);
        return RelayHarness.serve(change.apply(RelayHarness.withRetry(config, RelayHarness.QUICK)));
    }

    static RawClient client(RelayServer relay) throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }
}
