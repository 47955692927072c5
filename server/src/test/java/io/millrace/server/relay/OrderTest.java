package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Several requests on one connection are answered in their order, and nothing is left over. */
@Tag("sockets")
class OrderTest {
    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void answersPipelinedRequestsInOrder(Transport transport) throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.transport = transport))) {
            try (var client = harness.client()) {
                client.sendRaw(stream("tokens=3")
                        + get("/healthz")
                        + get("/echo/a")
                        + stream("tokens=5,gap_ms=5")
                        + get("/readyz")
                        + get("/echo/b"));
                assertThat(client.readAll().text()).endsWith("data: [DONE]\n\n");
                assertThat(client.readAll().text()).isEqualTo("ok\n");
                assertThat(client.readAll().text()).contains("/echo/a");
                RawClient.Response second = client.readAll();
                assertThat(second.text()).endsWith("data: [DONE]\n\n");
                assertThat(second.end()).isEqualTo(RawClient.End.COMPLETE);
                assertThat(client.readAll().text()).isEqualTo("ready\n");
                assertThat(client.readAll().text()).contains("/echo/b");
            }
            await().until(() -> harness.relay.metrics().openConnections() == 0);
            assertThat(harness.relay.metrics().activeExchanges()).isZero();
            assertThat(harness.relay.metrics().exchanges("completed")).isEqualTo(4);
        }
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }

    private static String stream(String spec) {
        String body = "{\"model\":\"m\",\"stream\":true,\"messages\":[]}";
        return "POST " + RelayHarness.withSpec(Api.CHAT.path, spec) + " HTTP/1.1\r\nHost: x\r\nContent-Length: "
                + body.length() + "\r\n\r\n" + body;
    }
}
