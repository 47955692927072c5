package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A frame leaves when it comes. It waits for no timer and no other frame. */
@Tag("time")
@Tag("sockets")
@Tag("h2")
class PromptFlushTest {
    private static final int TRIES = 50;
    private static final Duration MEDIAN = Duration.ofMillis(30);

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void handsAFrameOnWithoutWaitingForMore(Transport transport) throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.transport = transport))) {
            var nanos = new long[TRIES];
            for (int i = 0; i < TRIES; i++) {
                try (var client = harness.client()) {
                    long sentNs = System.nanoTime();
                    client.post(RelayHarness.withSpec(Api.CHAT.path, "tokens=9,stall_after=1"), "m", "");
                    client.readUntil("\"content\":\"You\"");
                    nanos[i] = System.nanoTime() - sentNs;
                }
            }
            Arrays.sort(nanos);
            assertThat(nanos[TRIES / 2]).isLessThan(MEDIAN.toNanos());
        }
    }
}
