package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** No frame waits for a timer, or for the next frame. */
@Tag("time")
@Tag("sockets")
class PromptnessTest {
    private static final int FRAMES = 60;
    private static final String FRAME = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n";

    static List<Transport> transports() {
        return Arrays.stream(Transport.values()).filter(Transport::isAvailable).toList();
    }

    @ParameterizedTest
    @MethodSource("transports")
    void passesEachFrameOnBeforeTheNextIsSent(Transport transport) throws IOException {
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var relay = RelayHarness.serve(
                        RelayConfig.relayTo(URI.create("http://127.0.0.1:" + listener.getLocalPort()))
                                .with(c -> c.transport = transport)
                                .with(c -> c.accessLog = AccessLog.OFF));
                var client = new RawClient(relay.addresses().get(0).getPort())) {
            client.post("/v1/chat/completions", "m", "");
            try (var upstream = listener.accept()) {
                OutputStream out = upstream.getOutputStream();
                send(out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
                long[] delaysNs = new long[FRAMES];
                for (int i = 0; i < FRAMES; i++) {
                    long sentNs = System.nanoTime();
                    send(out, Integer.toHexString(FRAME.length()) + "\r\n" + FRAME + "\r\n");
                    if (i == 0) {
                        assertThat(client.readHead()).startsWith("HTTP/1.1 200");
                    }
                    // The chunk head, the data line and the blank line: all of the frame, and nothing is behind it.
                    assertThat(client.readLine()).isEqualTo(Integer.toHexString(FRAME.length()));
                    assertThat(client.readLine()).startsWith("data: ");
                    assertThat(client.readLine()).isEmpty();
                    assertThat(client.readLine()).isEmpty();
                    delaysNs[i] = System.nanoTime() - sentNs;
                }
                Arrays.sort(delaysNs);
                assertThat(TimeUnit.NANOSECONDS.toMillis(delaysNs[FRAMES / 2]))
                        .as("median delay, ms")
                        .isLessThan(20);
            }
        }
    }

    private static void send(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }
}
