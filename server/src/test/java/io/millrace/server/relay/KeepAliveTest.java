package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
@Tag("h2")
class KeepAliveTest {
    private static final String STREAM_BODY = "{\"model\":\"m\",\"stream\":true,\"messages\":[]}";

    private RelayHarness harness;

    @BeforeEach
    void start() {
        harness = RelayHarness.start();
    }

    @AfterEach
    void leavesNothingBehind() {
        await().untilAsserted(() -> {
            assertThat(harness.relay.metrics().activeExchanges()).isZero();
            assertThat(harness.relay.metrics().openConnections()).isZero();
        });
        harness.close();
    }

    @Test
    void usesOneUpstreamConnectionForRequestsInTurn() throws IOException {
        try (var client = harness.client()) {
            for (int i = 0; i < 20; i++) {
                client.sendRaw(i % 2 == 0 ? stream("tokens=2") : get("/echo"));
                RawClient.Response response = client.readAll();
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            }
        }
        assertThat(harness.mock.stats().connections()).isEqualTo(1);
    }

    @Test
    void goesOnAfterAnErrorFrame() throws IOException {
        try (var client = harness.client()) {
            client.sendRaw(stream("tokens=9,reset_after=2"));
            assertThat(client.readAll().text()).contains("upstream_reset");
            client.sendRaw(stream("tokens=2"));
            assertThat(client.readAll().text()).endsWith("data: [DONE]\n\n");
            client.sendRaw(stream("tokens=9,end_after=2"));
            assertThat(client.readAll().text()).contains("upstream_truncated");
            // A close that no answer announced would lose a request that is on its way.
            await().during(Duration.ofMillis(1500))
                    .until(() -> harness.relay.metrics().openConnections() == 1);
            client.sendRaw(stream("tokens=2"));
            assertThat(client.readAll().text()).endsWith("data: [DONE]\n\n");
        }
    }

    @Tag("h1") // the field Connection
    @Test
    void closesWhenTheClientAsks() throws IOException {
        try (var client = harness.client()) {
            client.send("POST", "/v1/chat/completions", STREAM_BODY, "Connection: close");
            RawClient.Response response = client.readAll();
            assertThat(response.header("connection")).isEqualTo("close");
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    @Tag("h1") // pipelined
    @Test
    void survivesManyPipelinedRequestsToItself() throws IOException {
        try (var client = harness.client()) {
            client.sendRaw(get("/healthz").repeat(900));
            for (int i = 0; i < 900; i++) {
                assertThat(client.readAll().text()).isEqualTo("ok\n");
            }
        }
    }

    private static String stream(String spec) {
        return "POST " + RelayHarness.withSpec("/v1/chat/completions", spec)
                + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + STREAM_BODY.length() + "\r\n\r\n" + STREAM_BODY;
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
    }
}
