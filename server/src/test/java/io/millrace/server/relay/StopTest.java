package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code DELETE /millrace/streams/{id}}: the stream ends in the form of its dialect, and its upstream is closed. */
@Tag("sockets")
@Tag("h2")
class StopTest {
    private static final String STALL = "tokens=9,stall_after=3,stamp=1";
    private static final String LAST_TOKEN = "@2@";
    private static final String LAST_CHUNK = "\r\n0\r\n\r\n";
    private static final String KEY = "Authorization: Bearer sk-one";

    @ParameterizedTest
    @EnumSource
    void endsTheStreamAsItsDialectDoes(Api api) throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client();
                var other = harness.client()) {
            ask(client, api.path, STALL, KEY);
            String begin = client.readUntil(LAST_TOKEN);
            assertThat(delete(other, idOf(begin), KEY).status()).isEqualTo(204);
            StreamInspector inspector = inspect(api, body(begin + client.readUntil(LAST_CHUNK)));
            assertThat(inspector.outputFrames()).isEqualTo(3);
            assertThat(inspector.finishReason())
                    .isEqualTo(
                            switch (api) {
                                case CHAT -> "stop";
                                case RESPONSES -> "incomplete:stopped";
                                case MESSAGES -> "end_turn";
                                case GEMINI -> "OTHER";
                            });
            assertThat(inspector.end())
                    .isEqualTo(
                            switch (api) {
                                case CHAT, MESSAGES -> StreamEnd.DONE;
                                case RESPONSES -> StreamEnd.TERMINAL;
                                case GEMINI -> StreamEnd.FINISHED;
                            });
            await().until(() -> harness.mock.requests().get(0).closedByPeerNs() != 0);
            await().until(() -> harness.relay.metrics().exchanges("stopped") == 1);
            assertThat(harness.relay.metrics().streamsByUsage("partial")).isEqualTo(1);
            client.send("GET", "/healthz", "");
            assertThat(client.readAll().text()).isEqualTo("ok\n");
        }
    }

    @ParameterizedTest
    @EnumSource
    void endsAStreamOfWhichOnlyHeartbeatsCame(Api api) throws IOException {
        var early = Heartbeat.DEFAULT
                .with(h -> h.interval = Duration.ofMillis(50))
                .with(h -> h.form = HeartbeatForm.COMMENT)
                .with(h -> h.early = true);
        try (var harness = RelayHarness.start(config -> config.with(c -> c.routes = config.routes().stream()
                        .map(route -> route.with(r -> r.heartbeat = early))
                        .toList()));
                var client = harness.client();
                var other = harness.client()) {
            ask(client, api.path, "stall_head=1", KEY);
            String head = client.readHead();
            assertThat(delete(other, idOf(head), KEY).status()).isEqualTo(204);
            var response = client.readBody(head);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            StreamInspector inspector = inspect(api, response.text());
            assertThat(inspector.end()).isIn(StreamEnd.DONE, StreamEnd.TERMINAL, StreamEnd.FINISHED);
            assertThat(inspector.model()).isEqualTo("m");
            await().until(() -> harness.mock.requests().get(0).closedByPeerNs() != 0);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Authorization: Bearer sk-one, Authorization: Bearer sk-one, 204",
        "Authorization: Bearer sk-one, x-api-key: sk-one, 204",
        "x-api-key: k, x-api-key: k, 204",
        "api-key: k, api-key: k, 204",
        "x-goog-api-key: k, x-goog-api-key: k, 204",
        "X-None: 1, X-None: 2, 204",
        "Authorization: Bearer sk-one, Authorization: Bearer sk-two, 404",
        "Authorization: Bearer sk-one, Authorization: Bearer sk-on, 404",
        "Authorization: Bearer sk-one, X-None: 1, 404",
        "X-None: 1, Authorization: Bearer sk-one, 404",
        "x-api-key: k, x-api-key: K, 404",
    })
    void asksForTheKeyOfTheStream(String key, String otherKey, int status) throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client();
                var other = harness.client()) {
            ask(client, Api.CHAT.path, STALL, key);
            String id = idOf(client.readHead());
            assertThat(delete(other, id, otherKey).status()).isEqualTo(status);
            assertThat(delete(other, id, key).status()).isEqualTo(status == 204 ? 404 : 204);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
        }
    }

    @Test
    void takesAKeyInTheQuery() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client();
                var other = harness.client()) {
            ask(client, Api.GEMINI.path + "&key=a%62c", STALL, "X-None: 1");
            String id = idOf(client.readHead());
            assertThat(delete(other, id, KEY).status()).isEqualTo(404);
            assertThat(delete(other, id + "?key=abd", "X-None: 1").status()).isEqualTo(404);
            assertThat(delete(other, id + "?key=abc", "X-None: 1").status()).isEqualTo(204);
        }
    }

    @Test
    void knowsNoStreamThatHasEndedOrNeverWas() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            ask(client, Api.CHAT.path, "tokens=2", KEY);
            String id = idOf(client.readAll().head());
            String missing = id.substring(0, id.length() - 1) + (id.endsWith("0") ? '1' : '0');
            for (String none : List.of(id, missing, "x", "", "-", "99999-00", "0-", "9-00")) {
                var response = delete(client, none, KEY);
                assertThat(response.status()).as(none).isEqualTo(404);
                assertThat(response.text()).contains("stream_not_found");
            }
            assertThat(harness.mock.requests()).hasSize(1);
        }
    }

    @Test
    void reachesTheStreamsOfEveryEventLoop() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.eventLoops = 3));
                var other = harness.client()) {
            var clients = new ArrayList<RawClient>();
            var heads = new ArrayList<String>();
            var loops = new HashSet<String>();
            for (int i = 0; i < 24; i++) {
                RawClient client = harness.client();
                clients.add(client);
                ask(client, Api.CHAT.path, STALL, KEY);
                heads.add(client.readHead());
                loops.add(idOf(heads.get(i)).split("-", -1)[0]);
            }
            assertThat(loops).hasSizeGreaterThan(1);
            for (int i = 0; i < clients.size(); i++) {
                assertThat(delete(other, idOf(heads.get(i)), KEY).status()).isEqualTo(204);
                assertThat(clients.get(i).readBody(heads.get(i)).text()).endsWith("data: [DONE]\n\n");
                clients.get(i).close();
            }
            await().until(() -> harness.mock.stats().activeStreams() == 0);
        }
    }

    @Test
    void waitsForTheEndOfAFrameThatFlows() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client();
                var other = harness.client()) {
            ask(client, Api.CHAT.path, "tokens=2,big_frame=300000,segment=20000,gap_ms=50,stall_after=1", KEY);
            String head = client.readHead();
            assertThat(delete(other, idOf(head), KEY).status()).isEqualTo(204);
            var response = client.readBody(head);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(response.text()).endsWith("\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
        }
    }

    @Test
    void endsAStreamOfUnknownDialectWithoutAWord() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.routes = config.routes().stream()
                        .map(route -> route.with(r -> r.dialect = Dialect.UNKNOWN))
                        .toList()));
                var client = harness.client();
                var other = harness.client()) {
            ask(client, Api.CHAT.path, STALL, KEY);
            String begin = client.readUntil(LAST_TOKEN);
            assertThat(delete(other, idOf(begin), KEY).status()).isEqualTo(204);
            assertThat(body(begin + client.readUntil(LAST_CHUNK)))
                    .contains("@0@")
                    .doesNotContain("[DONE]")
                    .doesNotContain("\"stop\"");
        }
    }

    @Test
    void hasNoIdsWhereItIsSwitchedOff() throws IOException {
        try (var harness = RelayHarness.start(
                        config -> config.with(c -> c.ownPaths = OwnPaths.ALL.with(o -> o.streams = false)));
                var client = harness.client()) {
            ask(client, Api.CHAT.path, "tokens=2", KEY);
            assertThat(client.readAll().header("x-millrace-stream")).isNull();
            delete(client, "0-00", KEY);
            assertThat(harness.mock.requests()).hasSize(2);
        }
    }

    @Test
    void refusesPagesOfOtherOriginsWhereTheRelayAddsItsKey() throws IOException {
        var credential = new Credential("authorization", "Bearer ", Secret.of("sk-relay", "a test"));
        try (var harness = RelayHarness.start(config -> config.with(c -> c.upstreams =
                        Map.of("default", config.upstreams().get("default").with(u -> u.credential = credential))));
                var client = harness.client();
                var other = harness.client()) {
            String body = "{\"model\":\"m\",\"stream\":true,\"messages\":[]}";
            client.sendRaw("POST " + RelayHarness.withSpec(Api.CHAT.path, STALL)
                    + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            String id = idOf(client.readHead());
            String delete = "DELETE /millrace/streams/" + id + " HTTP/1.1\r\nHost: localhost\r\n";
            other.sendRaw(delete + "Origin: http://elsewhere.example\r\n\r\n");
            assertThat(other.readAll().status()).isEqualTo(403);
            other.sendRaw(delete + "\r\n");
            assertThat(other.readHead()).startsWith("HTTP/1.1 204 ");
        }
    }

    private static void ask(RawClient client, String path, String spec, String header) throws IOException {
        client.send(
                "POST",
                RelayHarness.withSpec(path, spec),
                "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"input\":\"a\"}",
                header);
    }

    private static RawClient.Response delete(RawClient client, String id, String header) throws IOException {
        client.send("DELETE", "/millrace/streams/" + id, "", header);
        String head = client.readHead();
        // RFC 9110 section 15.3.5: it ends with its head.
        return head.startsWith("HTTP/1.1 204 ")
                ? new RawClient.Response(head, new byte[0], RawClient.End.COMPLETE, List.of())
                : client.readBody(head);
    }

    private static String idOf(String head) {
        String id = RawClient.header(head, "x-millrace-stream");
        assertThat(id).matches("[0-9]+-[0-9a-f]{24}");
        return id;
    }

    private static StreamInspector inspect(Api api, String body) {
        StreamInspector inspector = api.dialect.newInspector();
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        int length = 0;
        for (byte[] frame : RawClient.cut(bytes)) {
            inspector.inspect(Unpooled.wrappedBuffer(frame), 0, frame.length);
            length += frame.length;
        }
        assertThat(length).isEqualTo(bytes.length);
        return inspector;
    }

    /** The body of a chunked response in ASCII. */
    private static String body(String response) {
        var body = new StringBuilder();
        int at = response.indexOf("\r\n\r\n") + 4;
        while (true) {
            int line = response.indexOf("\r\n", at);
            int size = Integer.parseInt(response.substring(at, line), 16);
            if (size == 0) {
                return body.toString();
            }
            at = line + 2 + size + 2;
            body.append(response, line + 2, at - 2);
        }
    }
}
