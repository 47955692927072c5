package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Timeouts;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An upstream that is silent. Each limit ends the wait and is named. */
@Tag("sockets")
@Tag("h2")
class DeadlineTest {
    private static final Duration LIMIT = Duration.ofMillis(250);
    private static final Timeouts TTFT = Timeouts.DEFAULT.with(t -> t.ttft = LIMIT);

    @ParameterizedTest
    @EnumSource(Api.class)
    void answersWith504WhenNothingCameInTime(Api api) throws IOException {
        for (String silence : new String[] {"stall_head=1", "stall_after_head=1"}) {
            RawClient.Response response = stream(api, TTFT, silence);
            assertThat(response.status()).as(silence).isEqualTo(504);
            assertThat(api.refusalOf(response.text()).message()).as(silence).contains("no output for 250 ms");
        }
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void answersWith504WhenOnlyStructureCameInTime(Api api) throws IOException {
        RawClient.Response response = stream(api, TTFT, "tokens=5,stall_after=0");
        assertThat(response.status()).isEqualTo(504);
        assertThat(response.header("x-millrace-attempts")).isEqualTo("3");
        assertThat(api.refusalOf(response.text()).message()).contains("no output for 250 ms");
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void saysThatTheUpstreamFellSilent(Api api) throws IOException {
        RawClient.Response response = stream(api, Timeouts.DEFAULT.with(t -> t.idle = LIMIT), "tokens=5,stall_after=2");
        assertFailure(api, response, "upstream_idle", "no byte for 250 ms after 2 output frames, ");
    }

    @Test
    void seesThroughCommentsThatHideADeadUpstream() throws IOException {
        Timeouts timeouts = Timeouts.DEFAULT
                .with(t -> t.idle = Duration.ofMillis(700))
                .with(t -> t.progress = Duration.ofMillis(1000));
        RawClient.Response response = stream(Api.CHAT, timeouts, "tokens=5,stall_after=2,comment_every_ms=50");
        assertThat(response.text()).contains(": keep-alive\n\n: keep-alive\n\n");
        assertFailure(Api.CHAT, response, "upstream_no_output", "no output for 1 s after 2 output frames, ");
    }

    @Test
    void limitsTheWaitForAPlainAnswer() throws IOException {
        try (var harness = RelayHarness.start(
                        config -> RelayHarness.withRetry(RelayHarness.withTimeouts(config, TTFT), RelayHarness.QUICK));
                var client = harness.client()) {
            client.send("POST", RelayHarness.withSpec(Api.CHAT.path, "stall_head=1"), "{\"model\":\"m\"}");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(504);
            assertThat(Api.CHAT.refusalOf(response.text()).code()).isEqualTo("upstream_no_output");
        }
    }

    @Test
    void answersWith502WhenTheUpstreamRefuses() throws IOException {
        try (var nobody = new Socket()) {
            // Bound, but it does not listen: nobody else gets its port.
            nobody.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            var config = RelayConfig.relayTo(URI.create("http://127.0.0.1:" + nobody.getLocalPort()))
                    .with(c -> c.accessLog = AccessLog.OFF);
            answersThatNobodyListens(RelayHarness.withRetry(config, RelayHarness.QUICK));
        }
    }

    private static void answersThatNobodyListens(RelayConfig config) throws IOException {
        try (var harness = RelayHarness.start(ignored -> config)) {
            RawClient.Response response = harness.stream(Api.CHAT.path, "");
            assertThat(response.status()).isEqualTo(502);
            assertThat(Api.CHAT.refusalOf(response.text()).code()).isEqualTo("upstream_unreachable");
        }
    }

    private static RawClient.Response stream(Api api, Timeouts timeouts, String spec) throws IOException {
        try (var harness = RelayHarness.start(
                config -> RelayHarness.withRetry(RelayHarness.withTimeouts(config, timeouts), RelayHarness.QUICK))) {
            return harness.stream(api.path, spec);
        }
    }

    private static void assertFailure(Api api, RawClient.Response response, String code, String message) {
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        var frames = response.frames();
        var last = new String(frames.get(frames.size() - 1), java.nio.charset.StandardCharsets.UTF_8);
        Api.Failure failure = api.failureOf(last);
        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.message()).contains(message);
    }
}
