package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Answers that nobody reads: how long they go on, and how they end. */
@Tag("sockets")
@Tag("h2")
class DetachTest {
    private static final String STALL = "tokens=9,stall_after=3";

    @ParameterizedTest
    @CsvSource({
        "'tokens=4000,gap_ms=2', 4, 60000, for 4 frames of output",
        "'tokens=9,stall_after=2', 10000, 200, for 0.2 s",
        "'tokens=9,stall_after=2', 10000, 0, for 0.0 s",
    })
    void endsWhereTheRouteSays(String spec, int maxFrames, int maxMs, String message) throws IOException {
        var bounds =
                Disconnect.DETACH.with(d -> d.maxFrames = maxFrames).with(d -> d.maxTime = Duration.ofMillis(maxMs));
        try (var bed = new ResumeBed(bounds, Resume.DEFAULT, config -> config)) {
            String id = leave(bed, Api.RESPONSES, spec);
            await().until(() -> bed.harness.mock.requests().get(0).closedByPeerNs() != 0);
            await().until(() -> bed.harness.relay.metrics().exchanges("unread") == 1);
            try (var again = bed.follow(id)) {
                assertThat(again.readAll())
                        .as("the error is told, and the body has its end")
                        .isTrue();
                List<byte[]> frames = RawClient.cut(again.body());
                var error = Api.RESPONSES.failureOf(new String(frames.get(frames.size() - 1), StandardCharsets.UTF_8));
                assertThat(error.code()).isEqualTo("relay_unread");
                assertThat(error.message()).startsWith("Nobody read the stream " + message);
            }
        }
    }

    @Test
    void goesOnAsLongAsSomebodyReads() throws IOException {
        var bounds = Disconnect.DETACH.with(d -> d.maxTime = Duration.ofMillis(100));
        try (var bed = new ResumeBed(bounds, Resume.DEFAULT, config -> config);
                var first = bed.ask(Api.CHAT.path, "tokens=60,gap_ms=20");
                var reader = bed.follow(first.header("x-millrace-stream"))) {
            first.read(1);
            first.client.reset();
            assertThat(reader.readAll()).isTrue();
            assertThat(reader.text()).endsWith("data: [DONE]\n\n");
            await().until(() -> bed.harness.relay.metrics().exchanges("completed") == 1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void tellsTheUsageThoughNobodyComesBack(Api api) throws IOException {
        try (var bed = new ResumeBed(
                Disconnect.DETACH,
                Resume.DEFAULT,
                config -> config.with(c -> c.routes = config.routes().stream()
                        .map(route -> route.with(r -> r.includeUsage = true))
                        .toList()))) {
            leave(bed, api, "tokens=30,gap_ms=10");
            await().until(() -> bed.harness.relay.metrics().exchanges("completed") == 1);
            assertThat(bed.harness.relay.metrics().streamsByUsage("exact")).isEqualTo(1);
            assertThat(bed.harness.mock.stats().streamsAborted()).isZero();
        }
    }

    @Test
    void isStoppedByItsClient() throws IOException {
        try (var bed = new ResumeBed()) {
            String id = leave(bed, Api.CHAT, STALL);
            try (var reader = bed.follow(id);
                    var stop = bed.send("DELETE", id)) {
                assertThat(stop.status()).isEqualTo(204);
                assertThat(reader.readAll()).isTrue();
                assertThat(reader.text()).endsWith("\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
            }
            await().until(() -> bed.harness.mock.requests().get(0).closedByPeerNs() != 0);
            await().until(() -> bed.harness.relay.metrics().exchanges("stopped") == 1);
        }
    }

    /** What a client that had stayed would have got, to the byte, and the same end. */
    @ParameterizedTest
    @CsvSource({
        "'tokens=20,gap_ms=5,reset_after=10'",
        "'tokens=20,gap_ms=5,end_after=10'",
        "'tokens=20,gap_ms=5,eof_after=10'",
        "'tokens=20,gap_ms=5,error_after=10'",
        "'tokens=20,gap_ms=5,hidden_error_after=10'",
        "'tokens=20,gap_ms=5,garbage_chunk_after=10'",
        "'tokens=3,big_frame=300000,segment=20000,gap_ms=20,end_at_byte=200000'",
    })
    void failsAsItWouldHaveForAClientThatStays(String spec) throws IOException {
        try (var bed = new ResumeBed();
                var stays = bed.ask(Api.MESSAGES.path, spec)) {
            String id = leave(bed, Api.MESSAGES, spec);
            try (var follows = bed.follow(id)) {
                boolean honest = stays.readAll();
                assertThat(follows.readAll()).isEqualTo(honest);
                assertSame(honest, shape(follows), shape(stays));
                try (var later = bed.follow(id);
                        var head = bed.send("HEAD", id)) {
                    assertThat(later.readAll()).isEqualTo(honest);
                    assertSame(honest, later.text(), follows.text());
                    assertThat(head.header("x-millrace-state")).isEqualTo(honest ? "clean" : "broken");
                    try (var end = bed.follow(id + "?offset=" + head.header("x-millrace-tail"))) {
                        assertThat(end.status()).isEqualTo(honest ? 204 : 410);
                    }
                }
            }
        }
    }

    @Test
    void isToldThatTheRelayStops() throws Exception {
        try (var bed = new ResumeBed(
                Disconnect.DETACH,
                Resume.DEFAULT,
                config ->
                        config.with(c -> c.timeouts = config.timeouts().with(t -> t.drain = Duration.ofMillis(300))))) {
            String id = leave(bed, Api.CHAT, STALL);
            try (var reader = bed.follow(id)) {
                assertThat(reader.status()).isEqualTo(200);
                var over = bed.harness.relay.drain();
                assertThat(reader.readAll()).isTrue();
                assertThat(reader.text()).contains("relay_draining");
                over.get();
            }
            await().until(() -> bed.harness.mock.requests().get(0).closedByPeerNs() != 0);
        }
    }

    @Test
    void endsWithTheRelay() throws IOException {
        try (var bed = new ResumeBed()) {
            leave(bed, Api.CHAT, STALL);
            await().until(() -> bed.harness.relay.metrics().openConnections() == 0);
            assertThat(bed.harness.relay.metrics().activeExchanges()).isEqualTo(1);
            bed.harness.relay.close();
            await().until(() -> bed.harness.mock.requests().get(0).closedByPeerNs() != 0);
        }
    }

    /** They belong to the stream: a reader has the same ones at the same places. Without a reader there are none. */
    @Test
    void heartbeatsAreInTheLogWhileSomebodyWaits() throws IOException {
        var often = Heartbeat.DEFAULT.with(h -> h.interval = Duration.ofMillis(50));
        try (var bed =
                new ResumeBed(Disconnect.DETACH, Resume.DEFAULT, config -> RelayHarness.withHeartbeat(config, often))) {
            String id;
            int had;
            try (var first = bed.ask(Api.CHAT.path, STALL)) {
                id = ResumeBed.idOf(first);
                first.client.readUntil(": ping");
            }
            await().until(() -> bed.harness.relay.metrics().openConnections() == 0);
            try (var left = bed.send("HEAD", id)) {
                had = Integer.parseInt(left.header("x-millrace-tail"));
            }
            try (var reader = bed.follow(id + "?offset=" + had)) {
                reader.read(2 * ": ping\n\n".length());
                assertThat(reader.text()).isEqualTo(": ping\n\n: ping\n\n");
            }
        }
    }

    /** A reset may overtake the last bytes before it. */
    private static void assertSame(boolean honest, String one, String other) {
        int length = honest ? Math.max(one.length(), other.length()) : Math.min(one.length(), other.length());
        assertThat(one.substring(0, Math.min(one.length(), length)))
                .isEqualTo(other.substring(0, Math.min(other.length(), length)));
    }

    private static String shape(ResumeBed.Part part) {
        return part.text()
                .replaceAll("mr-[a-z0-9]+-[a-z0-9]+", "REQUEST")
                .replaceAll("msg_[A-Za-z0-9_-]+", "ID")
                .replaceAll("port \\d+|:\\d{5}", "PORT");
    }

    /** A client that leaves in the middle; the id of its stream. */
    private static String leave(ResumeBed bed, Api api, String spec) throws IOException {
        try (var first = bed.ask(api.path, spec)) {
            first.read(100);
            return first.header("x-millrace-stream");
        }
    }
}
