package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Timeouts;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Bytes that keep a silent stream alive, and bytes that must not be written to it. */
@Tag("sockets")
@Tag("h2")
class HeartbeatTest {
    private static final Heartbeat FAST = Heartbeat.DEFAULT.with(h -> h.interval = Duration.ofMillis(50));
    private static final Timeouts SHORT = Timeouts.DEFAULT.with(t -> t.idle = Duration.ofSeconds(1));

    @ParameterizedTest
    @EnumSource(Api.class)
    void goesBetweenTheFramesOfASilentStream(Api api) throws IOException {
        RawClient.Response response = stream(api, FAST, "tokens=9,stall_after=2");
        List<String> frames = frames(response);
        String ping = api.dialect.heartbeat().bytes().toString(StandardCharsets.US_ASCII);
        long beats = frames.stream().filter(ping::equals).count();
        if (api == Api.GEMINI) {
            assertThat(response.text()).doesNotContain("ping");
        } else {
            assertThat(beats).isBetween(2L, 22L);
        }
        assertThat(api.failureOf(frames.get(frames.size() - 1)).code()).isEqualTo("upstream_idle");
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
    }

    @Test
    void staysAwayWhenItIsSwitchedOff() throws IOException {
        assertThat(stream(Api.CHAT, Heartbeat.OFF, "tokens=9,stall_after=2").text())
                .doesNotContain("ping");
    }

    @Test
    void hasOneLineFeedWhereThatIsAskedFor() throws IOException {
        String text = stream(
                        Api.CHAT, FAST.with(h -> h.form = HeartbeatForm.COMMENT_SINGLE_LF), "tokens=9,stall_after=2")
                .text();
        assertThat(text).contains("\n\n: ping\n: ping\n").doesNotContain(": ping\n\n");
    }

    @Test
    void staysAwayFromAStreamThatIsNotSilent() throws IOException {
        Heartbeat slow = FAST.with(h -> h.interval = Duration.ofSeconds(2));
        RawClient.Response response = stream(Api.CHAT, slow, "tokens=40,gap_ms=60");
        assertThat(response.text()).doesNotContain("ping").endsWith("data: [DONE]\n\n");
    }

    @Test
    void doesNotTakeTheStatusLineBeforeTheFirstFrame() throws IOException {
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(
                RelayHarness.withHeartbeat(config, FAST), SHORT.with(t -> t.ttft = Duration.ofMillis(300))))) {
            RawClient.Response response = harness.stream(Api.CHAT.path, "stall_after_head=1");
            assertThat(response.status()).isEqualTo(504);
            assertThat(Api.CHAT.refusalOf(response.text()).code()).isEqualTo("upstream_no_output");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "GEMINI")
    void commitsToTheStreamWhereEarlyOnesAreAskedFor(Api api) throws IOException {
        try (var harness =
                RelayHarness.start(config -> RelayHarness.withHeartbeat(config, FAST.with(h -> h.early = true)))) {
            RawClient.Response late = harness.stream(api.path, "tokens=3,head_ms=600");
            assertThat(late.status()).isEqualTo(200);
            assertThat(late.header("content-type")).startsWith("text/event-stream");
            assertThat(late.text()).startsWith(": ping\n\n: ping\n\n");
            assertThat(late.end()).isEqualTo(RawClient.End.COMPLETE);

            RawClient.Response failed = harness.stream(api.path, "status=503,head_ms=300");
            assertThat(failed.status()).isEqualTo(200);
            List<String> frames = frames(failed);
            assertThat(frames.get(0)).isEqualTo(": ping\n\n");
            assertThat(api.failureOf(frames.get(frames.size() - 1)).code()).isEqualTo("upstream_error");
        }
    }

    @Test
    void seesThatAVeryLongRequestStreamsThoughNoRouteDecidesByIt() throws IOException {
        try (var harness = RelayHarness.start(
                        config -> RelayHarness.withHeartbeat(config, FAST.with(h -> h.early = true)));
                var client = harness.client()) {
            String path = RelayHarness.withSpec(Api.CHAT.path, "tokens=3,head_ms=600");
            client.send("POST", path, "{\"x\":\"" + "a".repeat(5 << 20) + "\",\"model\":\"m\",\"stream\":true}");
            assertThat(client.readAll().text()).startsWith(": ping\n\n: ping\n\n");
        }
    }

    @Test
    void leavesTheStatusToAnUpstreamThatFailsWhereNoFormIsSafe() throws IOException {
        try (var harness =
                RelayHarness.start(config -> RelayHarness.withHeartbeat(config, FAST.with(h -> h.early = true)))) {
            RawClient.Response response = harness.stream(Api.GEMINI.path, "status=503,ttft_ms=300");
            assertThat(response.status()).isEqualTo(503);
            assertThat(Api.GEMINI.refusalOf(response.text()).message()).isNotEmpty();
        }
    }

    private static RawClient.Response stream(Api api, Heartbeat heartbeat, String spec) throws IOException {
        try (var harness = RelayHarness.start(
                config -> RelayHarness.withTimeouts(RelayHarness.withHeartbeat(config, heartbeat), SHORT))) {
            return harness.stream(api.path, spec);
        }
    }

    private static List<String> frames(RawClient.Response response) {
        return response.frames().stream()
                .map(frame -> new String(frame, StandardCharsets.UTF_8))
                .toList();
    }
}
