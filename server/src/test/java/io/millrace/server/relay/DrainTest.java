package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Timeouts;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DrainTest {
    @Test
    void letsStreamsEnd() throws Exception {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=20,gap_ms=20"), "m", "");
            String head = client.readHead();
            var drained = harness.relay.drain();
            var response = client.readBody(head);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(response.text()).endsWith("data: [DONE]\n\n");
            drained.get(5, TimeUnit.SECONDS);
            assertThat(client.read())
                    .as("the connection closes behind its last response")
                    .isEqualTo(-1);
        }
    }

    @Test
    void acceptsNoNewConnection() throws Exception {
        try (var harness = RelayHarness.start()) {
            int port = harness.port();
            harness.relay.drain().get(5, TimeUnit.SECONDS);
            await().untilAsserted(() -> Assertions.assertThatThrownBy(() -> new RawClient(port).close())
                    .isInstanceOf(ConnectException.class));
        }
    }

    @Test
    void tellsARequestThatHasBegunThatItIsNotReady() throws Exception {
        try (var harness = RelayHarness.start();
                var streaming = harness.client();
                var asking = harness.client()) {
            streaming.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=50,gap_ms=10"), "m", "");
            String head = streaming.readHead();
            asking.sendRaw("GET /readyz HTTP/1.1\r\nHost: h\r\n\r\nGET /readyz HTTP/1.1\r\n");
            assertThat(asking.readAll().text()).isEqualTo("ready\n");
            harness.relay.drain();
            asking.sendRaw("Host: h\r\n\r\n");
            var answer = asking.readAll();
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.text()).isEqualTo("draining\n");
            assertThat(asking.read()).isEqualTo(-1);
            assertThat(streaming.readBody(head).text()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void closesIdleConnections() throws Exception {
        try (var harness = RelayHarness.start();
                var idle = harness.client()) {
            idle.sendRaw("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
            assertThat(idle.readAll().text()).isEqualTo("ok\n");
            harness.relay.drain();
            assertThat(idle.read()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, relay_draining",
        "/v1/responses, relay_draining",
        "/v1/messages, relay_draining",
        "/v1beta/models/m:streamGenerateContent?alt=sse, shutting down"
    })
    void endsWhatIsLeftAtTheLimitWithAnErrorEvent(String path, String said) throws Exception {
        try (var harness = RelayHarness.start(limit(Duration.ofMillis(150)));
                var client = harness.client()) {
            client.post(RelayHarness.withSpec(path, "tokens=9,stall_after=3"), "m", "");
            String head = client.readHead();
            var drained = harness.relay.drain();
            var response = client.readBody(head);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            var frames = response.frames();
            assertThat(new String(frames.get(frames.size() - 1), java.nio.charset.StandardCharsets.UTF_8))
                    .contains("\"error\"", said, "after 3 output frames");
            drained.get(5, TimeUnit.SECONDS);
            assertThat(harness.relay.metrics().exchanges("drained")).isEqualTo(1);
            await().until(() -> harness.mock.stats().activeStreams() == 0);
        }
    }

    @Test
    void answersWhatHasNotBegunAtTheLimit() throws Exception {
        try (var harness = RelayHarness.start(limit(Duration.ofMillis(100)));
                var client = harness.client()) {
            client.post(RelayHarness.withSpec("/v1/chat/completions", "stall_head=1"), "m", "");
            await().until(() -> harness.mock.stats().requests() == 1);
            harness.relay.drain();
            var response = client.readAll();
            assertThat(response.status()).isEqualTo(503);
            assertThat(response.text()).contains("relay_draining");
        }
    }

    private static java.util.function.UnaryOperator<RelayConfig> limit(Duration drain) {
        return config -> config.withTimeouts(Timeouts.DEFAULT.withDrain(drain));
    }
}
