package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Failures before the first output: which are retried, how often, and the client's answer if no attempt succeeds. */
@Tag("sockets")
@Tag("h2")
class RetryTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "status=408",
                "status=409",
                "status=425",
                "status=429",
                "status=500",
                "status=502",
                "status=503",
                "status=504",
                "status=529",
                "status=400,should_retry=1",
                "error_first=1",
                "empty=1",
                "eof_after=0",
                "end_after=0",
                "reset_after=0",
                "close_on_accept=1",
                "garbage_head=1",
                "hidden_error_after=0",
                "error_after=0"
            })
    void hidesWhatAnotherAttemptMends(String failure) throws IOException {
        for (Api api : Api.values()) {
            try (var harness = start(config -> config)) {
                RawClient.Response response = harness.stream(api.path, "tokens=3,fail_first=2," + failure);
                assertThat(response.status()).as(api + " " + failure).isEqualTo(200);
                assertThat(response.header("x-millrace-attempts")).isEqualTo("3");
                assertThat(response.header("x-millrace-upstream")).isEqualTo("default");
                assertThat(response.header("x-should-retry")).isNull();
                assertThat(response.text()).doesNotContain("\"error\":{");
                assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void givesTheLastAnswerWhenNothingHelps(Api api) throws IOException {
        try (var harness = start(config -> config)) {
            RawClient.Response response = harness.stream(api.path, "status=529");
            assertThat(response.status()).isEqualTo(529);
            assertThat(response.header("x-should-retry")).isEqualTo("false");
            assertThat(response.header("x-millrace-attempts")).isEqualTo("3");
            assertThat(api.refusalOf(response.text()).message()).isNotEmpty();
            assertThat(harness.mock.stats().requests()).isEqualTo(3);

            RawClient.Response error = harness.stream(api.path, "error_first=1");
            assertThat(error.status()).isEqualTo(200);
            assertThat(error.frames()).hasSize(1);
            assertThat(harness.mock.stats().requests()).isEqualTo(6);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "status=400,400",
        "status=401,401",
        "status=404,404",
        "'status=429,error_code=insufficient_quota',429",
        "'status=503,should_retry=0',503",
        "'status=503,retry_after=60',503",
        "'error_first=1,error_code=insufficient_quota',200",
        "'error_first=1,error_code=context_length_exceeded',200",
        "refusal=1,200",
        "'tokens=9,error_after=1',200",
        "'tokens=9,end_after=1',200"
    })
    void givesAtOnceWhatNoAttemptMends(String spec, int status) throws IOException {
        try (var harness = start(config -> config)) {
            RawClient.Response response = harness.stream(Api.CHAT.path, spec);
            assertThat(response.status()).isEqualTo(status);
            assertThat(response.header("x-millrace-attempts")).isEqualTo("1");
            assertThat(harness.mock.stats().requests()).isEqualTo(1);
        }
    }

    @Test
    void sendsTheSameRequestEachTime() throws IOException {
        try (var harness = start(config -> config);
                var client = harness.client()) {
            String body = "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\""
                    + "x".repeat(2 << 20) + "\"}]}";
            client.send("POST", RelayHarness.withSpec(Api.CHAT.path, "tokens=2,fail_first=2,status=503"), body);
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(harness.mock.requests())
                    .hasSize(3)
                    .allSatisfy(request -> assertThat(request.body()).isEqualTo(body.getBytes(StandardCharsets.UTF_8)));
        }
    }

    @Test
    void waitsAsLongAsTheUpstreamAsks() throws IOException {
        try (var harness = start(config -> config)) {
            long startNs = System.nanoTime();
            RawClient.Response response =
                    harness.stream(Api.CHAT.path, "tokens=2,fail_first=1,status=429,retry_after_ms=300");
            assertThat(response.status()).isEqualTo(200);
            assertThat(Duration.ofNanos(System.nanoTime() - startNs)).isGreaterThanOrEqualTo(Duration.ofMillis(300));
        }
    }

    @Test
    void stopsAtOnceWhenTheClientLeaves() throws IOException {
        try (var harness = start(config -> config)) {
            try (var client = harness.client()) {
                client.post(RelayHarness.withSpec(Api.CHAT.path, "status=503,retry_after=5"), "m", "");
                await().until(() -> harness.mock.stats().requests() == 1);
            }
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(harness.relay.metrics().exchanges("client_gone")).isEqualTo(1);
            assertThat(harness.mock.stats().requests()).isEqualTo(1);
        }
    }

    @Test
    void endsAWaitWhenTheRelayIsGone() throws IOException {
        Timeouts timeouts = Timeouts.DEFAULT.with(t -> t.drain = Duration.ofMillis(100));
        try (var harness = start(config -> RelayHarness.withTimeouts(config, timeouts));
                var client = harness.client()) {
            client.post(RelayHarness.withSpec(Api.CHAT.path, "status=503,retry_after=8"), "m", "");
            await().until(() -> harness.mock.stats().requests() == 1);
            harness.relay.drain();
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(503);
            assertThat(Api.CHAT.refusalOf(response.text()).code()).isEqualTo("relay_draining");
        }
    }

    @Test
    void beginsNoAttemptBeyondTheTimeInAll() throws IOException {
        Retry hasty = RelayHarness.QUICK.with(r -> r.total = Duration.ofMillis(1500));
        try (var harness = RelayHarness.start(MockConfig.defaults(), config -> RelayHarness.withRetry(config, hasty))) {
            RawClient.Response response = harness.stream(Api.CHAT.path, "status=503,retry_after_ms=900");
            assertThat(response.status()).isEqualTo(503);
            assertThat(response.header("x-millrace-attempts")).isEqualTo("2");
        }
    }

    @Test
    void keepsHeartbeatsGoingWhileItTriesAgain() throws IOException {
        Heartbeat early =
                Heartbeat.DEFAULT.with(h -> h.interval = Duration.ofMillis(50)).with(h -> h.early = true);
        try (var harness = start(config -> RelayHarness.withHeartbeat(config, early))) {
            RawClient.Response mended =
                    harness.stream(Api.CHAT.path, "tokens=2,fail_first=1,status=503,retry_after_ms=400,group=a");
            assertThat(mended.text()).startsWith(": ping\n\n: ping\n\n").endsWith("data: [DONE]\n\n");
            RawClient.Response failed =
                    harness.stream(Api.CHAT.path, "fail_first=9,status=503,retry_after_ms=200,group=b");
            assertThat(failed.status()).isEqualTo(200);
            List<byte[]> frames = failed.frames();
            String last = new String(frames.get(frames.size() - 1), StandardCharsets.UTF_8);
            assertThat(Api.CHAT.failureOf(last).code()).isEqualTo("upstream_error");
            assertThat(failed.end()).isEqualTo(RawClient.End.COMPLETE);
        }
    }

    @Test
    void commitsWhatIsTooMuchToHold() throws IOException {
        try (var harness = start(config ->
                RelayHarness.withTimeouts(config, Timeouts.DEFAULT.with(t -> t.ttft = Duration.ofSeconds(3))))) {
            RawClient.Response response = harness.stream(Api.CHAT.path, "stall_after=0,comment_every_ms=10");
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.text()).contains(": keep-alive\n\n: keep-alive\n\n");
            assertThat(harness.mock.stats().requests()).isEqualTo(1);
        }
    }

    private static RelayHarness start(UnaryOperator<RelayConfig> change) {
        return RelayHarness.start(
                MockConfig.defaults(),
                config -> RelayHarness.withRetry(change.apply(config.with(c -> c.eventLoops = 1)), RelayHarness.QUICK));
    }
}
