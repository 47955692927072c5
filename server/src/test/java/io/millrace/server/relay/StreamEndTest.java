package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The ends of streams that are not cut: their terminals, their errors, and the data after them. */
@ParameterizedClass
@MethodSource("io.millrace.server.test.RelayHarness#transports")
@Tag("sockets")
@Tag("h2")
class StreamEndTest {
    private static final Duration GRACE = Duration.ofMillis(300);

    private static RelayHarness harness;

    @Parameter
    Transport transport;

    @BeforeParameterizedClassInvocation
    static void start(Transport transport) {
        harness = RelayHarness.start(config -> RelayHarness.withTimeouts(
                RelayHarness.withRetry(config.with(c -> c.transport = transport), RelayHarness.QUICK),
                config.timeouts().with(t -> t.terminalGrace = GRACE)));
    }

    @AfterParameterizedClassInvocation
    static void stop() {
        await().until(() -> harness.relay.metrics().activeExchanges() == 0);
        harness.close();
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void endsAtTheTerminalThoughTheUpstreamStaysOpen(Api api) throws IOException {
        // Where there is a terminal, no time limit ends the stream before the test client loses its patience.
        Duration grace = api == Api.GEMINI ? GRACE : Duration.ofMinutes(1);
        try (var patient = RelayHarness.start(config -> RelayHarness.withTimeouts(
                config.with(c -> c.transport = transport), config.timeouts().with(t -> t.terminalGrace = grace)))) {
            RawClient.Response response = patient.stream(api.path, "tokens=3,linger=1");
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(response.text()).doesNotContain("\"error\":{");
        }
    }

    @Test
    void endsAChatWithoutDoneWithinTheGrace() throws IOException {
        RawClient.Response response = stream(Api.CHAT, "tokens=3,done=0,linger=1");
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        assertThat(response.text()).contains("\"finish_reason\":\"stop\"").doesNotContain("error");
    }

    @Test
    void takesAFinishReasonAndACleanEndForAnEnd() throws IOException {
        RawClient.Response response = stream(Api.CHAT, "tokens=3,done=0");
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        assertThat(response.text()).contains("\"finish_reason\":\"stop\"").doesNotContain("error");
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void tellsThatACleanEndCameBeforeTheTerminal(Api api) throws IOException {
        RawClient.Response response = stream(api, "tokens=9,eof_after=3");
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        Api.Failure failure = api.failureOf(last(response));
        assertThat(failure.code()).isEqualTo("upstream_truncated");
        assertThat(failure.message()).contains(" after 3 output frames, ");
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void forwardsTheUpstreamsOwnErrorAndNothingElse(Api api) throws IOException {
        for (String spec :
                new String[] {"error_first=1", "tokens=9,error_after=2", "tokens=9,error_after=2,linger=1"}) {
            RawClient.Response direct = direct(api, spec.replace(",linger=1", ""));
            RawClient.Response response = stream(api, spec);
            assertThat(response.end()).as(spec).isEqualTo(RawClient.End.COMPLETE);
            assertThat(last(response)).as(spec).isEqualTo(last(direct));
            assertThat(response.frames()).as(spec).hasSameSizeAs(direct.frames());
        }
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void repeatsAnErrorThatNoSdkWouldSee(Api api) throws IOException {
        RawClient.Response response = stream(api, "tokens=9,hidden_error_after=2");
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        assertThat(api.failureOf(last(response)).code()).isEqualTo("upstream_error");
        assertThat(response.text()).contains("The mock was asked to fail here.");
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void tellsOfGarbageInTheChunkedCoding(Api api) throws IOException {
        RawClient.Response response = stream(api, "tokens=9,garbage_chunk_after=2");
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        assertThat(api.failureOf(last(response)).code()).isEqualTo("upstream_reset");
    }

    @ParameterizedTest
    @CsvSource({"garbage_head=1,upstream_protocol", "close_on_accept=1,upstream_reset"})
    void answersWith502WhenNoHeadComes(String spec, String code) throws IOException {
        RawClient.Response response = stream(Api.CHAT, spec);
        assertThat(response.status()).isEqualTo(502);
        assertThat(Api.CHAT.refusalOf(response.text()).code()).isEqualTo(code);
    }

    @Test
    void answersWith502WhenTheContentCodingIsNotKnown() throws IOException {
        RawClient.Response response = stream(Api.CHAT, "headers=Content-Encoding:br");
        assertThat(response.status()).isEqualTo(502);
        assertThat(Api.CHAT.refusalOf(response.text()).code()).isEqualTo("upstream_protocol");
    }

    @Test
    void relaysAnAnswerThatIsNoEventStreamAsItIs() throws IOException {
        RawClient.Response refusal = stream(Api.MESSAGES, "status=529,retry_after=70");
        assertThat(refusal.status()).isEqualTo(529);
        assertThat(refusal.header("retry-after")).isEqualTo("70");
    }

    @Test
    void resetsAStreamOfNoKnownDialectThatIsCut() throws IOException {
        try (var other = RelayHarness.start(config -> config.with(c -> c.transport = transport)
                .with(c -> c.routes = config.routes().stream()
                        .map(route -> route.with(r -> r.dialect = io.millrace.codec.dialect.Dialect.UNKNOWN))
                        .toList()))) {
            RawClient.Response response = other.stream(Api.CHAT.path, "tokens=9,end_after=3");
            assertThat(response.end()).isIn(RawClient.End.RESET, RawClient.End.TRUNCATED);
            assertThat(response.text()).doesNotContain("error");
            RawClient.Response whole = other.stream(Api.CHAT.path, "tokens=9,eof_after=3");
            assertThat(whole.end()).isEqualTo(RawClient.End.COMPLETE);
        }
    }

    @Test
    void resetsWhenTheCutIsInsideAFrameTooLongToHold() throws IOException {
        RawClient.Response response = stream(Api.CHAT, "tokens=9,big_frame=300000,end_at_byte=200000");
        assertThat(response.end()).isIn(RawClient.End.RESET, RawClient.End.TRUNCATED);
        RawClient.Response whole = stream(Api.CHAT, "tokens=9,big_frame=300000");
        assertThat(whole.text()).hasSizeGreaterThan(300_000).endsWith("data: [DONE]\n\n");
    }

    @Tag("h1") // HTTP/1.0
    @ParameterizedTest
    @ValueSource(strings = {"tokens=5", "tokens=5,gzip=1"})
    void delimitsAnHttp10BodyByClose(String spec) throws IOException {
        RawClient.Response response = http10(spec);
        assertThat(response.header("transfer-encoding")).isNull();
        assertThat(response.header("content-encoding")).isNull();
        assertThat(response.end()).isEqualTo(RawClient.End.CLOSED);
        assertThat(response.text()).endsWith("data: [DONE]\n\n");
    }

    @Tag("h1") // HTTP/1.0
    @Test
    void resetsAnHttp10BodyBehindItsErrorFrame() throws IOException {
        RawClient.Response response = http10("tokens=9,end_after=2");
        assertThat(response.end()).isEqualTo(RawClient.End.RESET);
        assertThat(Api.CHAT.failureOf(last(response)).code()).isEqualTo("upstream_truncated");
    }

    @ParameterizedTest
    @CsvSource({
        "tokens=3,true",
        "'tokens=3,gzip=1',true",
        "'tokens=3,deflate=1',true",
        "'tokens=3,length=1',true",
        "'tokens=3,chunk=none',false",
        "'tokens=3,linger=1',false",
        "'tokens=3,extra_bytes=1',false",
        "'tokens=9,end_after=2',false",
        "'tokens=9,garbage_chunk_after=2',false"
    })
    void reusesAnUpstreamConnectionOnlyAfterACleanEnd(String spec, boolean reused) throws IOException {
        try (var one = RelayHarness.start(
                config -> config.with(c -> c.transport = transport).with(c -> c.eventLoops = 1))) {
            one.stream(Api.CHAT.path, spec);
            if (reused) {
                // The body's last chunk may come to the relay after its client has everything.
                await().until(() -> {
                    one.stream(Api.CHAT.path, spec);
                    return one.mock.stats().connections() < one.mock.stats().requests();
                });
            } else {
                await().until(() -> one.mock.stats().openConnections() == 0);
                assertThat(one.stream(Api.CHAT.path, "tokens=3").text()).endsWith("data: [DONE]\n\n");
                assertThat(one.mock.stats().connections()).isEqualTo(2);
            }
        }
    }

    @Tag("h1") // pipelined: the HTTP/2 client of the tests has one request at a time
    @Test
    void sendsNoBodyWhereThereIsNone() throws IOException {
        try (var client = harness.client()) {
            client.sendRaw("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200");
            assertThat(client.readAll().text()).isEqualTo("ok\n");
            for (int status : new int[] {204, 304}) {
                client.post(RelayHarness.withSpec(Api.CHAT.path, "status=" + status), "m", "");
                client.sendRaw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 " + status);
                assertThat(client.readAll().text()).isEqualTo("ok\n");
            }
        }
    }

    private static RawClient.Response stream(Api api, String spec) throws IOException {
        return harness.stream(api.path, spec);
    }

    private static RawClient.Response http10(String spec) throws IOException {
        try (var client = harness.client()) {
            client.sendHttp10(
                    "POST",
                    RelayHarness.withSpec(Api.CHAT.path, spec),
                    "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}");
            return client.readAll();
        }
    }

    /** What the mock says by itself. */
    private static RawClient.Response direct(Api api, String spec) throws IOException {
        try (var client = new RawClient(harness.mock.port())) {
            client.post(RelayHarness.withSpec(api.path, spec), "m", "");
            return client.readAll();
        }
    }

    private static String last(RawClient.Response response) {
        List<byte[]> frames = response.frames();
        return new String(frames.get(frames.size() - 1), StandardCharsets.UTF_8);
    }
}
