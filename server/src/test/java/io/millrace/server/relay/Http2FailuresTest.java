package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.Certificates;
import io.millrace.server.test.Http2Mock;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers of an upstream over HTTP/2 that fails, and other answers on the same connection. */
@Tag("sockets")
class Http2FailuresTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String FRAME = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    private static final String DONE = "data: [DONE]\n\n";
    /** Netty leaves out 1, which is for an upgrade. */
    private static final int FIRST_ID = 3;

    /** Even where nothing is sent twice: the upstream has said that it did nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"goaway", "refused"})
    void sendsAgainWhatTheUpstreamDidNotLookAt(String how) throws IOException {
        var count = new AtomicInteger();
        try (var upstream = Http2Mock.start(request -> {
                    if (count.getAndIncrement() > 0) {
                        request.head(200, false, "content-type", "text/plain")
                                .data("ok")
                                .end();
                    } else if (how.equals("goaway")) {
                        request.connection().goAway(0, Http2Error.NO_ERROR);
                    } else {
                        request.reset(Http2Error.REFUSED_STREAM);
                    }
                });
                var relay = relay(Retry.OFF, upstream.uri());
                var client = Http2UpstreamTest.client(relay)) {
            client.send("POST", "/v1/files", "once");
            RawClient.Response response = client.readAll();
            assertThat(response.text()).isEqualTo("ok");
            assertThat(upstream.requests()).hasSize(2);
            assertThat(upstream.requests().get(1).body()).isEqualTo("once");
            assertThat(upstream.connections()).hasSize(2);
            await().until(() -> upstream.openConnections() == 1);
        }
    }

    /** Even where nothing is sent twice. */
    @Test
    void sendsOverHttp11WhatTheUpstreamDoesNotServeOverHttp2(@TempDir Path directory) throws Exception {
        var files = Certificates.in(directory);
        Path ca = files.ca();
        Listener.Tls.Certificate certificate = files.server("up", "localhost");
        SslContext tls = SslContextBuilder.forServer(
                        certificate.cert().toFile(), certificate.key().toFile())
                .sslProvider(SslProvider.JDK)
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        "h2",
                        "http/1.1"))
                .build();
        try (var upstream = Http2Mock.start(tls, request -> request.reset(Http2Error.HTTP_1_1_REQUIRED));
                var relay = Http2UpstreamTest.relay(
                        config -> RelayHarness.withRetry(config, Retry.OFF)
                                .with(c -> c.upstreams = Map.of(
                                        "up", config.upstreams().get("up").with(u -> {
                                            u.urls = List.of(URI.create("https://localhost:" + upstream.port()));
                                            u.ca = ca;
                                            u.http = Upstream.Http.DEFAULT.with(
                                                    h -> h.version = Upstream.Http.Version.AUTO);
                                        }))),
                        upstream.uri());
                var client = Http2UpstreamTest.client(relay)) {
            for (String body : List.of("once", "more")) {
                client.send("POST", "/v1/files", body);
                assertThat(client.readAll().text()).isEqualTo(Http2Mock.HTTP_1_1 + body);
            }
            assertThat(upstream.requests()).hasSize(1);
        }
    }

    /** Which may be done twice only where the connection was idle: its upstream may have been about to close it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void connectionThatClosesUnderARequestIsStaleOnlyIfItWasIdle(boolean idle) throws IOException {
        var count = new AtomicInteger();
        try (var upstream = Http2Mock.start(request -> {
                    if (request.path().equals(CHAT)) {
                        request.stream().data(FRAME);
                    } else if (count.getAndIncrement() == 1) {
                        request.connection().close();
                    } else {
                        request.head(200, false, "content-type", "text/plain")
                                .data("ok")
                                .end();
                    }
                });
                var relay = relay(RelayHarness.QUICK, upstream.uri());
                var streaming = Http2UpstreamTest.client(relay);
                var client = Http2UpstreamTest.client(relay)) {
            client.send("POST", "/v1/files", "first");
            assertThat(client.readAll().text()).isEqualTo("ok");
            if (!idle) {
                streaming.post(CHAT, "m", "");
                streaming.readUntil(FRAME);
            }
            client.send("POST", "/v1/files", "second");
            assertThat(client.readAll().status()).isEqualTo(idle ? 200 : 502);
        }
    }

    @Test
    void goAwayLetsEarlierStreamsEnd() throws IOException {
        try (var upstream = Http2Mock.start(request -> request.stream().data(FRAME));
                var relay = relay(RelayHarness.QUICK, upstream.uri());
                var first = Http2UpstreamTest.client(relay);
                var second = Http2UpstreamTest.client(relay)) {
            first.post(CHAT, "m", "");
            String head = first.readHead();
            Http2Mock.Request earlier = awaitRequest(upstream, 1);
            earlier.connection().goAway(earlier.id(), Http2Error.NO_ERROR);
            second.post(CHAT, "m", "");
            Http2Mock.Request later = awaitRequest(upstream, 2);
            assertThat(later.connection()).isNotSameAs(earlier.connection());
            later.data(DONE).end();
            assertThat(second.readAll().text()).isEqualTo(FRAME + DONE);
            assertThat(upstream.openConnections()).isEqualTo(2);
            earlier.data(DONE).end();
            assertThat(first.readBody(head).text()).isEqualTo(FRAME + DONE);
            await().until(() -> upstream.openConnections() == 1);
        }
    }

    /** A graceful one first names the highest id. */
    @Test
    void secondGoAwayNamesFewer() throws IOException {
        var count = new AtomicInteger();
        try (var upstream = Http2Mock.start(request -> {
                    if (count.getAndIncrement() > 0) {
                        request.stream().data(FRAME).data(DONE).end();
                        return;
                    }
                    request.connection().goAway(Integer.MAX_VALUE, Http2Error.NO_ERROR);
                    request.connection().goAway(request.id() - 2, Http2Error.NO_ERROR);
                });
                var relay = relay(RelayHarness.QUICK, upstream.uri());
                var client = Http2UpstreamTest.client(relay)) {
            client.post(CHAT, "m", "");
            assertThat(client.readAll().text()).isEqualTo(FRAME + DONE);
        }
    }

    @Test
    void goAwayUnderAnAnswerThatHasBegunIsTold() throws IOException {
        try (var upstream = Http2Mock.start(request -> {
                    request.stream().data(FRAME);
                    request.connection().goAway(0, Http2Error.INTERNAL_ERROR);
                });
                var relay = relay(Retry.OFF, upstream.uri());
                var client = Http2UpstreamTest.client(relay)) {
            client.post(CHAT, "m", "");
            RawClient.Response response = client.readAll();
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(response.text()).contains("upstream_reset");
        }
    }

    @Test
    void resetBeforeOutputIsTriedAgainOnTheSameConnection() throws IOException {
        var count = new AtomicInteger();
        try (var upstream = Http2Mock.start(request -> {
                    switch (count.getAndIncrement()) {
                        case 0 -> request.reset(Http2Error.INTERNAL_ERROR);
                        case 1 -> request.stream().reset(Http2Error.INTERNAL_ERROR);
                        default -> request.stream().data(FRAME).data(DONE).end();
                    }
                });
                var relay = relay(RelayHarness.QUICK, upstream.uri());
                var client = Http2UpstreamTest.client(relay)) {
            client.post(CHAT, "m", "");
            RawClient.Response response = client.readAll();
            assertThat(response.text()).isEqualTo(FRAME + DONE);
            assertThat(response.header("x-millrace-attempts")).isEqualTo("3");
            assertThat(upstream.connections()).hasSize(1);
        }
    }

    /** A wrong answer costs its own stream, and no other. */
    @ParameterizedTest
    @ValueSource(strings = {"short", "long", "none", "value", "status", "headless", "interim", "list", "trailers"})
    void malformedAnswerIsNoAnswer(String fault) throws IOException {
        try (var upstream = Http2Mock.start(request -> {
                    if (!request.path().equals("/v1/bad")) {
                        request.stream().data(FRAME);
                        return;
                    }
                    switch (fault) {
                        case "short" ->
                            request.head(200, false, "content-length", "9")
                                    .data("four")
                                    .end();
                        case "long" ->
                            request.head(200, false, "content-length", "2")
                                    .data("four")
                                    .end();
                        case "none" -> request.head(200, true, "content-length", "2");
                        case "value" ->
                            request.head(200, false, "x-bad", "a\r\nx-more: b")
                                    .data("ok")
                                    .end();
                        case "status" -> request.head(99, false).data("ok").end();
                        case "headless" -> request.data("ok");
                        case "interim" -> request.head(103, true);
                        case "list" ->
                            request.head(200, false, "x-long", "x".repeat(70_000))
                                    .data("ok")
                                    .end();
                        default ->
                            request.head(200, false, "content-length", "4")
                                    .data("ok")
                                    .headers(new DefaultHttp2Headers(false).add("x-t", "1"), true);
                    }
                });
                var relay = relay(Retry.OFF, upstream.uri());
                var other = Http2UpstreamTest.client(relay);
                var client = Http2UpstreamTest.client(relay)) {
            other.post(CHAT, "m", "");
            Http2Mock.Request neighbour = awaitRequest(upstream, 1);
            client.send("GET", "/v1/bad", "");
            RawClient.Response response = client.readAll();
            assertThat(response.status() == 502 || response.end() != RawClient.End.COMPLETE)
                    .as(response.head() + response.text())
                    .isTrue();
            neighbour.data(DONE).end();
            assertThat(other.readAll().text()).isEqualTo(FRAME + DONE);
            assertThat(upstream.connections()).hasSize(1);
        }
    }

    /** What breaks the connection breaks all its answers, and each client is told. */
    @ParameterizedTest
    @ValueSource(
            strings = {"close", "noise", "ping", "settings", "priority", "push", "continuation", "unknown", "empty"})
    void brokenConnectionIsToldToAll(String fault) throws IOException {
        int clients = 5;
        var all = new ArrayList<RawClient>();
        try (var upstream = Http2Mock.start(request -> request.stream().data(FRAME));
                var relay = relay(Retry.OFF, upstream.uri())) {
            for (int i = 0; i < clients; i++) {
                all.add(Http2UpstreamTest.client(relay));
                all.get(i).post(CHAT, "m", "");
            }
            Http2Mock.Request last = awaitRequest(upstream, clients);
            if (fault.equals("close")) {
                last.connection().close();
            } else {
                last.connection().raw(hostile(fault));
            }
            for (RawClient client : all) {
                RawClient.Response response = client.readAll();
                assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
                assertThat(response.text())
                        .startsWith(FRAME)
                        .contains(fault.equals("close") ? "upstream_truncated" : "upstream_reset");
                client.close();
            }
            await().until(() -> upstream.openConnections() == 0);
            try (var client = Http2UpstreamTest.client(relay)) {
                client.post(CHAT, "m", "");
                Http2Mock.Request next = awaitRequest(upstream, clients + 1);
                next.data(DONE).end();
                assertThat(client.readAll().text()).isEqualTo(FRAME + DONE);
            }
        }
    }

    private static ByteBuf hostile(String fault) {
        ByteBuf out = Unpooled.buffer();
        switch (fault) {
            case "noise" -> out.writeBytes("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            case "push" -> frame(out, 5, 4, FIRST_ID, new byte[] {0, 0, 0, 2, (byte) 0x88});
            case "continuation" -> {
                frame(out, 1, 0, FIRST_ID, new byte[] {(byte) 0x88});
                for (int i = 0; i < 100; i++) {
                    frame(out, 9, 0, FIRST_ID, new byte[0]);
                }
            }
            default -> {
                int type = Map.of("ping", 6, "settings", 4, "priority", 2, "unknown", 77, "empty", 0)
                        .get(fault);
                int length = Map.of("ping", 8, "settings", 0, "priority", 5, "unknown", 3, "empty", 0)
                        .get(fault);
                for (int i = 0; i < 3000; i++) {
                    byte[] payload = new byte[length];
                    frame(out, type, 0, type == 6 || type == 4 ? 0 : FIRST_ID, payload);
                }
            }
        }
        return out;
    }

    private static void frame(ByteBuf out, int type, int flags, int stream, byte[] payload) {
        out.writeMedium(payload.length)
                .writeByte(type)
                .writeByte(flags)
                .writeInt(stream)
                .writeBytes(payload);
    }

    /** The connection may be used again after frames that come too late for a stream that was taken back. */
    @Test
    void lateFramesOfACancelledStreamHarmNobody() throws IOException {
        try (var upstream = Http2Mock.start(request -> request.stream().data(FRAME));
                var relay = relay(Retry.OFF, upstream.uri());
                var stays = Http2UpstreamTest.client(relay)) {
            stays.post(CHAT, "m", "");
            Http2Mock.Request neighbour = awaitRequest(upstream, 1);
            var leaves = Http2UpstreamTest.client(relay);
            leaves.post(CHAT, "m", "");
            Http2Mock.Request left = awaitRequest(upstream, 2);
            leaves.readUntil(FRAME);
            leaves.close();
            await().until(() -> upstream.resetOf(left) != null);
            ByteBuf late = Unpooled.buffer();
            for (int i = 0; i < 3000; i++) {
                frame(late, 0, 0, left.id(), FRAME.getBytes(StandardCharsets.US_ASCII));
            }
            neighbour.connection().raw(late);
            neighbour.data(DONE).end();
            assertThat(stays.readAll().text()).isEqualTo(FRAME + DONE);
            assertThat(upstream.openConnections()).isEqualTo(1);
        }
    }

    @Test
    void compressedStreamIsInflatedAndItsCutIsTold() throws IOException {
        var text = new StringBuilder();
        var random = new SplittableRandom(5);
        for (int i = 0; i < 20_000; i++) {
            text.append(FRAME.replace("\"a\"", "\"" + Long.toHexString(random.nextLong()) + "\""));
        }
        byte[] whole = gzip((text + DONE).getBytes(StandardCharsets.UTF_8));
        var at = new AtomicInteger(whole.length);
        try (var upstream = Http2Mock.start(request -> {
                    request.head(200, false, "content-type", "text/event-stream", "content-encoding", "gzip");
                    for (int i = 0; i < at.get(); i += 100) {
                        request.data(Arrays.copyOfRange(whole, i, Math.min(at.get(), i + 100)), false);
                    }
                    request.end();
                });
                var relay = relay(Retry.OFF, upstream.uri());
                var client = Http2UpstreamTest.client(relay)) {
            client.post(CHAT, "m", "");
            assertThat(client.readAll().text()).isEqualTo(text + DONE);
            at.set(whole.length / 2);
            client.post(CHAT, "m", "");
            RawClient.Response cut = client.readAll();
            assertThat(cut.text()).contains("upstream_truncated").doesNotContain(DONE);
        }
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    /** How a stream of which only a part came is ended by its upstream. */
    private enum Knife {
        END,
        RESET,
        CLOSE
    }

    @ParameterizedTest
    @EnumSource
    void tellsTheTruthWhereverTheStreamIsCut(Api api) throws IOException {
        byte[] whole = Files.readAllBytes(RelayHarness.STREAMS.resolve(api.recording));
        var knife = new Knife[1];
        var at = new AtomicInteger();
        try (var upstream = Http2Mock.start(request -> {
                    request.stream().data(Arrays.copyOf(whole, at.get()), false);
                    switch (knife[0]) {
                        case END -> request.end();
                        case RESET -> request.reset(Http2Error.INTERNAL_ERROR);
                        case CLOSE -> request.connection().close();
                    }
                });
                var relay = relay(Retry.OFF, upstream.uri())) {
            for (int place : places(whole)) {
                for (Knife each : Knife.values()) {
                    knife[0] = each;
                    at.set(place);
                    assertTruth(relay, api, Arrays.copyOf(whole, place), each);
                }
            }
        }
    }

    private static Set<Integer> places(byte[] whole) {
        var places = new TreeSet<Integer>();
        int boundary = 0;
        for (byte[] frame : RawClient.cut(whole)) {
            places.add(boundary);
            boundary += frame.length;
        }
        places.add(boundary);
        var random = new SplittableRandom(whole.length);
        for (int i = 0; i < 20; i++) {
            places.add(random.nextInt(whole.length));
        }
        return places;
    }

    private static void assertTruth(RelayServer relay, Api api, byte[] sent, Knife knife) throws IOException {
        String as = api + " " + knife + " at " + sent.length;
        List<byte[]> expected = RawClient.cut(sent);
        StreamInspector inspector = api.dialect.newInspector();
        expected.forEach(frame -> inspector.inspect(Unpooled.wrappedBuffer(frame), 0, frame.length));
        try (var client = Http2UpstreamTest.client(relay)) {
            client.post(api.path, "m", "");
            RawClient.Response response = client.readAll();
            assertThat(response.end()).as(as).isEqualTo(RawClient.End.COMPLETE);
            if (inspector.outputFrames() == 0 && inspector.end() == StreamEnd.OPEN) {
                assertThat(response.status()).as(as).isEqualTo(502);
                return;
            }
            var whole = new StringBuilder();
            expected.forEach(frame -> whole.append(new String(frame, StandardCharsets.UTF_8)));
            boolean finished = inspector.end() == StreamEnd.FINISHED && knife == Knife.END;
            if (inspector.end() == StreamEnd.TERMINAL || inspector.end() == StreamEnd.DONE || finished) {
                assertThat(response.text()).as(as).startsWith(whole.toString());
                assertThat(response.text()).as(as).doesNotContain("upstream_");
                return;
            }
            assertThat(response.text()).as(as).startsWith(whole.toString());
            Api.Failure failure = api.failureOf(response.text().substring(whole.length()));
            assertThat(failure.code()).as(as).isEqualTo(knife == Knife.RESET ? "upstream_reset" : "upstream_truncated");
        }
    }

    private static Http2Mock.Request awaitRequest(Http2Mock upstream, int count) {
        await().until(() -> upstream.requests().size() == count);
        return upstream.requests().get(count - 1);
    }

    private static RelayServer relay(Retry retry, URI upstream) {
        return Http2UpstreamTest.relay(config -> RelayHarness.withRetry(config, retry), upstream);
    }
}
