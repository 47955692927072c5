package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.RelayServer;
import io.millrace.server.cli.Millrace;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.util.concurrent.AbstractScheduledEventExecutor;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@value #STREAMS} streams of {@value #FRAMES} frames, {@value #GAP_MS} ms apart, all open at once. The mock and the
 * clients are processes of their own. The relay is in this process, under its leak detector. No stream is lost, and
 * nothing is left over.
 */
@Tag("time")
class ManyStreamsTest {
    private static final int LOOPS = 2;
    private static final int STREAMS = 4000;
    private static final int FRAMES = 20;
    private static final int GAP_MS = 500;
    private static final int RAMP_MS = 5000;
    private static final int LIMIT_SECONDS = 180;
    private static final int WARM_UP_LIMIT = 200;
    private static final String STREAM = "{\"model\":\"mock\",\"stream\":true,\"messages\":[]}";

    /** All open channels that were made in this process. They are the relay's. */
    private final Set<Channel> channels = ConcurrentHashMap.newKeySet();

    private final Set<EventLoop> loops = ConcurrentHashMap.newKeySet();

    /**
     * What a relay without streams holds.
     *
     * @param clients connections of clients, as the metrics say
     * @param exchanges in progress, as the metrics say
     * @param channels to clients and upstreams
     * @param timers of the event loops
     * @param tasks of the event loops
     * @param bufferBytes of buffers in use, by the allocator
     */
    record Held(long clients, long exchanges, int channels, int timers, int tasks, long bufferBytes) {}

    @Test
    void carriesThemAllAndHoldsNothingAfterwards(@TempDir Path recordings) throws Exception {
        byte[] recording = recording();
        Files.write(recordings.resolve("frames.sse"), recording);
        try (var tap = ChannelTap.listen(this::onChannel);
                var mock = JavaProcess.start(
                        Millrace.class,
                        "mock",
                        "--listen=127.0.0.1:0",
                        "--event-loops=1",
                        "--replay-dir=" + recordings,
                        "--spec=replay=frames,frame_gap_ms=" + GAP_MS)) {
            assertThat(tap).isNotNull();
            String ready = mock.awaitLine("listening on ");
            var upstream = URI.create(ready.substring(ready.indexOf("http://")));
            try (var relay = startRelay(upstream)) {
                warmUp(relay);
                await().until(() -> channels.isEmpty());
                var before = held(relay);
                long warmUps = relay.metrics().exchanges("completed");

                var report = load(relay);

                assertThat(report.failures()).isEmpty();
                assertThat(report.bodies()).isEqualTo(Map.of(LoadClient.fingerprint(recording), STREAMS));
                assertThat(report.openPeak()).isEqualTo(STREAMS);
                assertThat(relay.metrics().exchanges("completed")).isEqualTo(warmUps + STREAMS);
                await().atMost(Duration.ofSeconds(60))
                        .untilAsserted(() -> assertThat(held(relay)).isEqualTo(before));
                assertThat(mockConnections(upstream)).isEqualTo("1");
            }
        }
    }

    private static RelayServer startRelay(URI upstream) {
        var shortLived = Upstream.of("mock", upstream).with(t -> t.idle = Duration.ofSeconds(1));
        return RelayServer.start(RelayConfig.relayTo(shortLived)
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = LOOPS));
    }

    /**
     * Has every event loop pass a stream on, so that what a loop creates once, such as its warm buffers, does not count as
     * left over.
     */
    private void warmUp(RelayServer relay) throws IOException {
        for (int i = 0; i < WARM_UP_LIMIT && loops.size() < LOOPS; i++) {
            try (var client = new RawClient(port(relay))) {
                client.send("POST", "/v1/chat/completions", STREAM, "x-mock: frame_gap_ms=1");
                assertThat(client.readAll().text()).endsWith("data: [DONE]\n\n");
                channels.forEach(channel -> loops.add(channel.eventLoop()));
            }
        }
        assertThat(loops).hasSize(LOOPS);
    }

    private static LoadClient.Report load(RelayServer relay) throws IOException, InterruptedException {
        try (var client = JavaProcess.start(
                LoadClient.class,
                Integer.toString(port(relay)),
                Integer.toString(STREAMS),
                Integer.toString(RAMP_MS),
                Integer.toString(LIMIT_SECONDS))) {
            return new ObjectMapper().readValue(client.awaitLine("{"), LoadClient.Report.class);
        }
    }

    /** The mock's own count, with this request. */
    private static String mockConnections(URI mock) throws IOException {
        try (var client = new RawClient(mock.getPort())) {
            client.send("GET", "/__mock/stats", "");
            return new ObjectMapper()
                    .readTree(client.readAll().body())
                    .get("open_connections")
                    .asText();
        }
    }

    private void onChannel(Channel channel) {
        channels.add(channel);
        channel.closeFuture().addListener(closed -> channels.remove(channel));
    }

    private Held held(RelayServer relay) throws Exception {
        var allocator = (PooledByteBufAllocator) ByteBufAllocator.DEFAULT;
        int timers = 0;
        int tasks = 0;
        for (EventLoop loop : loops) {
            timers += loop.submit(() -> timers(loop)).get();
            tasks += ((SingleThreadIoEventLoop) loop).pendingTasks();
        }
        return new Held(
                relay.metrics().openConnections(),
                relay.metrics().activeExchanges(),
                channels.size(),
                timers,
                tasks,
                allocator.pinnedDirectMemory() + allocator.pinnedHeapMemory());
    }

    /** Netty has no method that shows the timers of an event loop. */
    private static int timers(EventLoop loop) throws ReflectiveOperationException {
        var field = AbstractScheduledEventExecutor.class.getDeclaredField("scheduledTaskQueue");
        field.setAccessible(true);
        var queue = (Collection<?>) field.get(loop);
        return queue == null ? 0 : queue.size();
    }

    private static byte[] recording() {
        var frames = new StringBuilder();
        for (int i = 1; i < FRAMES; i++) {
            String delta =
                    i == 1 ? "{\"role\":\"assistant\",\"content\":\"\"}" : "{\"content\":\" frame " + i + " é\"}";
            frames.append("data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"mock\",\"choices\":")
                    .append("[{\"index\":0,\"delta\":" + delta + ",\"finish_reason\":null}]}\n\n");
        }
        return frames.append("data: [DONE]\n\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    private static int port(RelayServer relay) {
        return relay.addresses().get(0).getPort();
    }
}
