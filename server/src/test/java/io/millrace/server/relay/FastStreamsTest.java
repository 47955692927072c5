package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.util.ArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
class FastStreamsTest {
    /** So many and so fast streams that an event loop reads them in turns. */
    @Test
    void manyAtOnceAllCompleteWhole() throws Exception {
        String path = RelayHarness.withSpec("/v1/chat/completions", "tokens=300,bytes=3000");
        var clients = new ArrayList<RawClient>();
        try (var harness = RelayHarness.start()) {
            for (int i = 0; i < 150; i++) {
                var client = harness.client();
                clients.add(client);
                client.post(path, "m", "");
            }
            for (RawClient client : clients) {
                assertThat(client.readAll().text()).hasSizeGreaterThan(900_000).endsWith("data: [DONE]\n\n");
            }
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }
}
