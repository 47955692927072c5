package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Timeouts;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A client that does not read. Its upstream is not read either, and no other stream is affected. */
@Tag("sockets")
@Tag("h2")
class BackpressureTest {
    private static final String BURST = "tokens=200000";

    /** Above what the kernel's buffers of the two connections can hold where they may grow to 32 MiB. */
    private static final long MOST_FRAMES_IN_FLIGHT = 150_000;
    /** The allocator takes memory in chunks of megabytes, for each of four event loops at most. */
    private static final long MOST_BUFFER_BYTES = 8 << 20;

    @Tag("h1") // slow; Http2Test holds streams whose windows are shut
    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void holdsTheUpstreamBackAndLosesNothing(Transport transport) throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.transport = transport));
                var client = harness.client()) {
            long bytesBefore = bufferBytes();
            client.post(RelayHarness.withSpec(Api.CHAT.path, BURST), "m", "");
            long held = framesWhenStill(harness);
            assertThat(held).isLessThan(MOST_FRAMES_IN_FLIGHT);
            assertThat(bufferBytes() - bytesBefore).isLessThan(MOST_BUFFER_BYTES);
            assertThat(harness.stream(Api.CHAT.path, "tokens=50").text()).endsWith("data: [DONE]\n\n");
            RawClient.Response response = client.readAll();
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(response.text().split("\"content\":\"", -1).length).isGreaterThan(200_000);
            assertThat(response.text()).endsWith("data: [DONE]\n\n");
        }
    }

    @Tag("h1") // slow; Http2Test cuts streams of which nothing is taken
    @Test
    void cutsAClientThatTakesNothingForTheLimit() throws IOException {
        Timeouts timeouts = Timeouts.DEFAULT.with(t -> t.writeStall = Duration.ofMillis(400));
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, timeouts));
                var client = harness.client()) {
            client.post(RelayHarness.withSpec(Api.CHAT.path, BURST), "m", "");
            await().until(() -> harness.relay.metrics().exchanges("client_gone") == 1);
            await().until(() -> harness.mock.stats().openConnections() == 0);
            assertThat(client.readAll().end()).isEqualTo(RawClient.End.RESET);
        }
    }

    @Test
    void keepsWhatAResponseStillOwesToASlowClient() throws IOException {
        Timeouts timeouts = Timeouts.DEFAULT.with(t -> t.keepAlive = Duration.ofMillis(100));
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, timeouts)
                        .with(c -> c.limits = config.limits().with(l -> l.highWatermark = 64 << 20))
                        .with(c -> c.http2 = config.http2().with(h -> h.pending = 64 << 20)));
                var client = harness.client()) {
            client.post(RelayHarness.withSpec(Api.CHAT.path, "tokens=60000"), "m", "");
            await().until(() -> harness.relay.metrics().exchanges("completed") == 1);
            await().during(Duration.ofMillis(500))
                    .until(() -> harness.relay.metrics().openConnections() == 1);
            RawClient.Response response = client.readAll();
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(response.text()).endsWith("data: [DONE]\n\n");
            assertThat(client.read()).isNegative();
        }
    }

    /** What buffers outside of the heap take, of the relay and the mock together. */
    private static long bufferBytes() {
        return ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT)
                .metric()
                .usedDirectMemory();
    }

    /** The frames that the mock could write until it was stopped for a while. */
    private static long framesWhenStill(RelayHarness harness) {
        var last = new AtomicLong(-1);
        await().pollInterval(Duration.ofMillis(300)).until(() -> {
            long now = harness.mock.stats().frames();
            return now > 100 && last.getAndSet(now) == now;
        });
        return last.get();
    }
}
