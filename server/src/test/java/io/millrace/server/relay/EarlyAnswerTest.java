package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Upstreams that answer an upload before they have read it, and close. */
@Tag("sockets")
@Tag("h2")
class EarlyAnswerTest {
    private static final String REFUSAL = "{\"error\":{\"message\":\"too large\"}}";
    private static final int TIMES = 10;

    static Stream<Arguments> refusals() {
        return RelayHarness.transports().stream()
                .flatMap(transport -> Stream.of(
                        Arguments.of(transport, "413 Payload Too Large", 0, 200_000),
                        Arguments.of(transport, "401 Unauthorized", 0, 8_000_000),
                        Arguments.of(transport, "403 Forbidden", 300_000, 8_000_000)));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void deliversWhatTheUpstreamSaysBeforeItCloses(Transport transport, String status, int read, int size)
            throws IOException {
        String answer = "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nConnection: close\r\n"
                + "Content-Length: " + REFUSAL.length() + "\r\n\r\n" + REFUSAL;
        String body = "x".repeat(size);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    for (int i = 0; i < Math.max(1, read); i++) {
                        connection.read();
                    }
                    connection.send(answer);
                });
                var harness = RelayHarness.start(config -> RelayConfig.relayTo(upstream.uri())
                        .with(c -> c.accessLog = AccessLog.OFF)
                        .with(c -> c.transport = transport))) {
            for (int i = 1; i <= TIMES; i++) {
                try (var client = harness.client()) {
                    RawClient.Response response = upload(client, body);
                    assertThat(response.status())
                            .as(response.text())
                            .isEqualTo(Integer.parseInt(status.substring(0, 3)));
                    assertThat(response.text()).isEqualTo(REFUSAL);
                    assertThat(upstream.connections()).isEqualTo(i);
                }
            }
        }
    }

    /** Sends on a thread of its own: a client that only writes would not see that it is refused. */
    private static RawClient.Response upload(RawClient client, String body) throws IOException {
        var sending = new Thread(() -> {
            try {
                client.send("POST", "/v1/files", body, "Content-Type: application/octet-stream");
            } catch (IOException e) {
                // Refused meanwhile.
            }
        });
        sending.setDaemon(true);
        sending.start();
        return client.readAll();
    }

    static List<Transport> transports() {
        return RelayHarness.transports();
    }

    @ParameterizedTest
    @MethodSource("transports")
    void givesUpOnAnUpstreamThatTakesNoMoreAndSaysNothing(Transport transport) throws IOException {
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.read();
                    connection.reset();
                });
                var harness = RelayHarness.start(config -> RelayConfig.relayTo(upstream.uri())
                        .with(c -> c.accessLog = AccessLog.OFF)
                        .with(c -> c.transport = transport));
                var client = harness.client()) {
            RawClient.Response response = upload(client, "x".repeat(8_000_000));
            assertThat(response.status()).as(response.text()).isEqualTo(502);
        }
    }
}
