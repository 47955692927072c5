package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Answers for clients of upstreams that have another dialect and fail: an error in the client's dialect, and never a
 * stop.
 */
@Tag("sockets")
@Tag("h2")
class TranslatedFailuresTest {
    private static final String FAULT = "The mock was asked to fail here.";
    private static final Duration IDLE = Duration.ofMillis(600);
    private static final Heartbeat OFTEN = Heartbeat.DEFAULT.with(h -> h.interval = Duration.ofMillis(100));

    private static TranslationBed bed;

    @BeforeAll
    static void start() {
        bed = TranslationBed.start(route -> route.with(r -> r.retry = Retry.OFF)
                .with(r -> r.heartbeat = OFTEN)
                .with(r -> r.timeouts = Timeouts.DEFAULT.with(t -> t.idle = IDLE)));
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void tellOfAStreamThatIsCut(Api client, Api upstream) throws IOException {
        assertFails(client, upstream, "eof_after=3", "upstream_truncated");
        assertFails(client, upstream, "end_after=3", "upstream_truncated");
        assertFails(client, upstream, "reset_after=3", "upstream_reset");
    }

    @Test
    void tellOfAStreamThatFallsSilentAfterHeartbeats() throws IOException {
        var asked = new LinkedHashMap<RawClient, Api>();
        try {
            for (Arguments pair : TranslationBed.pairs().toList()) {
                Api client = (Api) pair.get()[0];
                RawClient raw = bed.client();
                asked.put(raw, client);
                bed.ask(raw, client, (Api) pair.get()[1], true, "tokens=9,stamp=1,stall_after=3");
            }
            for (var one : asked.entrySet()) {
                Api client = one.getValue();
                RawClient.Response response = one.getKey().readAll();
                assertFailed(client, response, "upstream_idle");
                if (client == Api.GEMINI) {
                    assertThat(response.text()).doesNotContain("ping");
                } else {
                    String ping = client.dialect.heartbeat().bytes().toString(StandardCharsets.US_ASCII);
                    assertThat(response.text()).contains(ping);
                }
            }
        } finally {
            for (RawClient raw : asked.keySet()) {
                raw.close();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void passTheUpstreamsOwnErrorOn(Api client, Api upstream) throws IOException {
        RawClient.Response response = bed.stream(client, upstream, "tokens=9,error_after=3");
        assertCut(client, response);
        assertThat(lastFrame(response)).contains(FAULT);
        assertThat(response.frames().stream()
                        .filter(frame -> new String(frame, StandardCharsets.UTF_8).contains(FAULT)))
                .hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void sayAnErrorThatHides(Api client, Api upstream) throws IOException {
        RawClient.Response response = bed.stream(client, upstream, "tokens=9,stamp=1,hidden_error_after=3");
        assertCut(client, response);
        assertThat(response.text()).contains("@2@").doesNotContain("@3@");
        assertThat(lastFrame(response)).contains(FAULT);
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void keepTheStatusOfARefusal(Api client, Api upstream) throws IOException {
        for (int status : List.of(400, 401, 404, 429, 500, 503)) {
            RawClient.Response response = bed.stream(client, upstream, "retry_after=7,status=" + status);
            assertThat(response.status()).isEqualTo(status);
            assertThat(response.header("retry-after")).isEqualTo("7");
            assertThat(response.header("content-type")).isEqualTo("application/json");
            assertThat(response.header("content-length")).isEqualTo(String.valueOf(response.body().length));
            assertThat(client.refusalOf(response.text()).message()).contains(FAULT);
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void areRefusalsWhereNoAnswerIsTheUpstreams(Api client, Api upstream) throws IOException {
        RawClient.Response nothing = bed.whole(client, upstream, "close_on_accept=1");
        assertThat(nothing.status()).isEqualTo(502);
        client.refusalOf(nothing.text());
        RawClient.Response coded = bed.stream(client, upstream, "status=400,gzip=1");
        assertThat(coded.status()).isIn(400, 502);
        client.refusalOf(coded.text());
        RawClient.Response cut = bed.whole(client, upstream, "end_at_byte=40");
        assertThat(cut.status()).isEqualTo(502);
        client.refusalOf(cut.text());
    }

    /** No further attempt would bring anything else. */
    @Test
    void sayThatAnUpstreamSpeaksOtherwiseThanItWasDeclared() throws IOException {
        String frame = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one\"}}]}\n\n";
        try (var upstream = ScriptedUpstream.answering(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + frame.length()
                                + "\r\n\r\n" + frame);
                var relay = RelayHarness.serve(RelayConfig.relayTo(upstream.uri())
                        .with(c -> c.upstreams = Map.of(
                                "default",
                                Upstream.of("default", upstream.uri())
                                        .with(u -> u.dialects = List.of(Dialect.MESSAGES)))));
                var client = new RawClient(relay.addresses().get(0).getPort())) {
            client.send("POST", Api.CHAT.path, "{\"model\":\"m\",\"stream\":true,\"messages\":[]}");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(200);
            assertThat(Api.CHAT.failureOf(lastFrame(response)).message()).contains("of the dialect chat");
            assertThat(upstream.requests()).hasSize(1);
        }
    }

    private static RawClient.Response assertFails(Api client, Api upstream, String fault, String code)
            throws IOException {
        RawClient.Response response = bed.stream(client, upstream, "tokens=9,stamp=1," + fault);
        assertFailed(client, response, code);
        return response;
    }

    private static void assertFailed(Api client, RawClient.Response response, String code) {
        assertCut(client, response);
        assertThat(response.text()).contains("@0@", "@2@").doesNotContain("@3@");
        assertThat(client.failureOf(lastFrame(response)).code()).isEqualTo(code);
    }

    private static void assertCut(Api client, RawClient.Response response) {
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        Reading heard = Reading.ofFrames(client, response.frames());
        assertThat(heard.stop()).isNull();
        assertThat(heard.ended()).isFalse();
    }

    private static String lastFrame(RawClient.Response response) {
        List<byte[]> frames = response.frames();
        return new String(frames.get(frames.size() - 1), StandardCharsets.UTF_8);
    }
}
