package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients of each dialect on upstreams of each other one. */
@Tag("sockets")
@Tag("h2")
class TranslationTest {
    private static final Map<Api, List<String>> RECORDINGS = Map.of(
            Api.CHAT,
            List.of(
                    "chat-openai-text-usage",
                    "chat-openai-tool-call",
                    "chat-openai-parallel-tools",
                    "chat-openai-length"),
            Api.RESPONSES,
            List.of(
                    "responses-openai-text-nonascii",
                    "responses-openai-function-call",
                    "responses-openai-incomplete",
                    "responses-openai-reasoning-summary"),
            Api.MESSAGES,
            List.of("anthropic-text-emoji", "anthropic-tool-use-parallel", "anthropic-thinking", "anthropic-text-ping"),
            Api.GEMINI,
            List.of("gemini-utf8-cjk", "gemini-tool-call", "gemini-thinking", "gemini-text"));

    private static TranslationBed bed;

    @BeforeAll
    static void start() {
        bed = TranslationBed.start();
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void streamsWhatTheUpstreamSays(Api client, Api upstream) throws IOException {
        for (String recording : RECORDINGS.get(upstream)) {
            byte[] recorded = Files.readAllBytes(RelayHarness.STREAMS.resolve(recording + ".sse"));
            Reading said = Reading.ofFrames(upstream, RawClient.cut(recorded));
            RawClient.Response response = bed.stream(client, upstream, "replay=" + recording);
            Reading heard = Reading.ofStream(client, response);
            assertThat(heard.text()).as(recording).isEqualTo(said.text());
            assertThat(heard.calls()).as(recording).isEqualTo(said.calls());
            assertThat(heard.stop()).as(recording).isEqualTo(said.stop());
            assertThat(heard.tokens().told())
                    .as(recording)
                    .isEqualTo(said.tokens().told());
            StreamInspector inspector = inspect(client, response.body());
            assertThat(inspector.end())
                    .isEqualTo(
                            switch (client) {
                                case CHAT, MESSAGES -> StreamEnd.DONE;
                                case RESPONSES -> StreamEnd.TERMINAL;
                                case GEMINI -> StreamEnd.FINISHED;
                            });
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void answersAsAWhole(Api client, Api upstream) throws IOException {
        for (String spec : List.of("tokens=9", "tokens=2,tool=1", "tokens=3,reasoning=4")) {
            Reading said = Reading.ofBody(upstream, bed.direct(upstream, false, spec));
            RawClient.Response response = bed.whole(client, upstream, spec);
            Reading heard = Reading.ofBody(client, response);
            assertThat(heard.text()).isEqualTo(said.text());
            assertThat(heard.calls()).isEqualTo(said.calls());
            assertThat(heard.stop()).isEqualTo(said.stop());
            assertThat(heard.tokens().told()).isEqualTo(said.tokens().told());
            assertThat(response.header("content-length")).isEqualTo(String.valueOf(response.body().length));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "MESSAGES, /v1/messages/count_tokens?beta=true",
        "RESPONSES, /v1/responses/input_tokens",
        "RESPONSES, /v1/responses/compact",
        "GEMINI, /v1beta/models/m:countTokens"
    })
    void asksOnlyThoseWhoHaveItForWhatIsNoAnswer(Api client, String path) throws IOException {
        for (Api upstream : Api.values()) {
            int before = bed.mock.requests().size();
            try (var raw = bed.client()) {
                raw.send("POST", path, "{\"model\":\"m\"}", TranslationBed.header(upstream) + ": 1");
                RawClient.Response response = raw.readAll();
                boolean own = upstream == client;
                assertThat(bed.mock.requests()).hasSize(before + (own ? 1 : 0));
                if (!own) {
                    assertThat(response.status()).isEqualTo(404);
                    assertThat(client.refusalOf(response.text()).message()).contains("not translated");
                } else if (!path.endsWith("/compact")) {
                    assertThat(response.status()).isEqualTo(200);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void streamsEachFrameBeforeTheNext(Api client, Api upstream) throws IOException {
        try (var raw = bed.client()) {
            bed.ask(raw, client, upstream, true, "tokens=9,stamp=1,stall_after=2");
            String begun = raw.readUntil("@1@");
            assertThat(begun).startsWith("HTTP/1.1 200 OK\r\n").contains("@0@");
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void endsAStreamThatItsClientStops(Api client, Api upstream) throws IOException {
        try (var raw = bed.client();
                var other = bed.client()) {
            bed.ask(raw, client, upstream, true, "tokens=9,stamp=1,stall_after=2");
            String begun = raw.readUntil("@1@");
            String id = RawClient.header(begun, "x-millrace-stream");
            other.send("DELETE", "/millrace/streams/" + id, "");
            assertThat(other.readHead()).startsWith("HTTP/1.1 204 ");
            String all = begun + raw.readUntil("\r\n0\r\n\r\n");
            StreamInspector inspector = inspect(client, dechunked(all));
            assertThat(inspector.end()).isIn(StreamEnd.DONE, StreamEnd.TERMINAL, StreamEnd.FINISHED);
            await().until(() -> bed.last().closedByPeerNs() != 0);
        }
    }

    private static byte[] dechunked(String raw) {
        var body = new StringBuilder();
        int at = raw.indexOf("\r\n\r\n") + 4;
        while (true) {
            int line = raw.indexOf("\r\n", at);
            int size = Integer.parseInt(raw.substring(at, line), 16);
            if (size == 0) {
                return body.toString().getBytes(StandardCharsets.UTF_8);
            }
            body.append(raw, line + 2, line + 2 + size);
            at = line + 2 + size + 2;
        }
    }

    private static StreamInspector inspect(Api api, byte[] body) {
        StreamInspector inspector = api.dialect.newInspector();
        for (byte[] frame : RawClient.cut(body)) {
            inspector.inspect(Unpooled.wrappedBuffer(frame), 0, frame.length);
        }
        return inspector;
    }
}
