package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Telemetry;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.config.Timeouts;
import io.millrace.server.memory.Held;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.Http2Client;
import io.millrace.server.test.Http2Client.Answer;
import io.millrace.server.test.Http2Client.Frame;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Features that only HTTP/2 has: many streams of one connection, windows, GOAWAY, floods. */
@Tag("sockets")
class Http2Test {
    private static final String BODY =
            "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private static final int NO_ERROR = 0;
    private static final int INTERNAL_ERROR = 2;
    private static final int REFUSED_STREAM = 7;
    private static final int CANCEL = 8;
    private static final int PROTOCOL_ERROR = 1;
    private static final int ENHANCE_YOUR_CALM = 11;

    @Test
    void servesManyRequestsAtOnce() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            for (int id = 1; id < 100; id += 2) {
                client.post(id, path("tokens=5"), BODY);
            }
            Map<Integer, Answer> answers = client.answers(50, 0);

            assertThat(answers.values()).allSatisfy(answer -> {
                assertThat(answer.status()).isEqualTo(200);
                assertThat(answer.body()).endsWith("data: [DONE]\n\n");
                assertThat(answer.ended()).isTrue();
            });
            assertThat(harness.relay.metrics().openConnections()).isOne();
        }
    }

    @Test
    void servesBothProtocolsOnOneAddress() throws IOException {
        try (var harness = start(config -> config);
                var h1 = harness.client();
                var slowly = Http2Client.silent(harness.port())) {
            h1.send("GET", "/healthz", "");
            assertThat(h1.readAll().text()).isEqualTo("ok\n");

            for (byte each : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII)) {
                slowly.sendRaw(new byte[] {each});
            }
            slowly.frame(Http2Client.SETTINGS, 0, 0);
            slowly.get(1, "/healthz");
            assertThat(slowly.answer(1).body()).isEqualTo("ok\n");
            slowly.get(3, "/metrics");
            assertThat(slowly.answer(3).body())
                    .contains("millrace_connections{protocol=\"h2\"} 1.0")
                    .contains("millrace_connections{protocol=\"http/1.1\"} 1.0");
        }
    }

    @Test
    void closesAClientThatStopsInsideItsPreface() throws IOException {
        try (var harness = start(config -> quick(config, t -> t.requestHead = Duration.ofMillis(100)));
                var client = Http2Client.silent(harness.port())) {
            client.sendRaw("PRI * HT".getBytes(StandardCharsets.US_ASCII));

            assertThat(client.socket().getInputStream().read()).isNegative();
            await().until(() -> harness.relay.metrics().openConnections() == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {120, 199, 1200})
    void refusesRequestsOverTheLimitSoThatTheyCanBeSentAgain(int count) throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            client.acknowledgeSettings();
            post(client, count);
            Map<Integer, Answer> answers = client.answers(count, 0);

            assertThat(answers.values())
                    .allSatisfy(answer -> assertThat(answer)
                            .satisfiesAnyOf(
                                    served -> assertThat(served.body()).endsWith("data: [DONE]\n\n"),
                                    refused -> assertThat(refused.reset()).isEqualTo(REFUSED_STREAM)));
            assertThat(answers.values().stream().filter(answer -> answer.status() == 200))
                    .hasSizeGreaterThanOrEqualTo(100);
            client.get(3001, "/healthz");
            assertThat(client.answer(3001).body()).isEqualTo("ok\n");
        }
    }

    /** A client that opens all of its streams at once has not read the limit, and may give up what is refused. */
    @Test
    void servesTwiceTheLimitToAClientThatCannotKnowIt() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            post(client, 200);
            assertThat(client.answers(200, 0).values())
                    .allSatisfy(answer -> assertThat(answer.body()).endsWith("data: [DONE]\n\n"));
        }
    }

    private static void post(Http2Client client, int count) throws IOException {
        var all = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            all.writeBytes(client.postBytes(1 + 2 * i, path("tokens=2,ttft_ms=300"), BODY));
        }
        client.sendRaw(all.toByteArray());
    }

    @Test
    void stopsTheUpstreamOfAStreamThatItsClientLeaves() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            client.post(1, path("tokens=9,stall_after=2"), BODY);
            client.post(3, path("tokens=9,stall_after=2"), BODY);
            client.post(5, path("ttft_ms=60000"), BODY);
            await().until(() -> harness.mock.stats().activeStreams() == 3);
            client.reset(1, CANCEL);
            await().until(() -> harness.mock.stats().activeStreams() == 2);
            client.reset(5, CANCEL);
            await().until(() -> harness.mock.stats().activeStreams() == 1);
            assertThat(harness.relay.metrics().exchanges("client_gone")).isEqualTo(2);

            client.socket().close();
            await().until(() -> harness.mock.stats().activeStreams() == 0);
            await().until(() -> harness.relay.metrics().exchanges("client_gone") == 3);
            await().until(() -> harness.relay.metrics().openConnections() == 0);
        }
    }

    @Test
    void tellsATruncationInItsStreamAndLeavesTheOthersAlone() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            client.post(1, path("tokens=20,gap_ms=20"), BODY);
            client.post(3, path("end_after=2"), BODY);
            Map<Integer, Answer> answers = client.answers(2, 0);

            assertThat(answers.get(3).body()).contains("upstream_truncated").doesNotContain("[DONE]");
            assertThat(answers.get(3).ended()).isTrue();
            assertThat(answers.get(1).body()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void resetsTheStreamWhereHttp11ResetsTheConnection() throws IOException {
        String head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n";
        try (var upstream = ScriptedUpstream.answeringAndClosing(head + "x".repeat(70_000));
                var harness =
                        start(config -> RelayConfig.relayTo(upstream.uri()).with(c -> {
                            c.accessLog = config.accessLog();
                            c.listeners = config.listeners();
                        }));
                var client = Http2Client.connect(harness.port())) {
            client.post(1, "/v1/files", "{}");
            Answer answer = client.answer(1);

            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.reset()).isEqualTo(INTERNAL_ERROR);
            client.get(3, "/healthz");
            assertThat(client.answer(3).body()).isEqualTo("ok\n");
        }
    }

    @Test
    void answersEarlyAndWantsNoMoreOfTheRequest() throws IOException {
        try (var harness = start(config ->
                        config.with(c -> c.limits = config.limits().with(l -> l.body = 1000)));
                var client = Http2Client.connect(harness.port())) {
            client.headers(1, 0, Http2Client.head("POST", path("")));
            client.data(1, "x".repeat(2000), false);
            assertThat(client.readUntil(Http2Client.HEADERS, 1).head().status()).hasToString("413");
            assertThat(client.readUntil(frame -> frame.stream() == 1 && frame.ends())
                            .text())
                    .contains("request_too_large");
            assertThat(client.readUntil(Http2Client.RST_STREAM, 1).number(0)).isEqualTo(NO_ERROR);
            for (int i = 0; i < 300; i++) { // what was on its way is no error, however much it is
                client.data(1, "x", i == 299);
            }
            client.get(3, "/healthz");
            assertThat(client.answer(3).body()).isEqualTo("ok\n");
        }
    }

    @Test
    void holdsAStreamWhoseWindowIsShutAndNoOther() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port(), 0)) {
            client.post(1, path("tokens=3"), BODY);
            client.post(3, path("tokens=3"), BODY);
            client.readUntil(Http2Client.HEADERS, 1);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            client.windowUpdate(3, 100_000);
            Frame last = client.readUntil(frame -> frame.type() == Http2Client.DATA && frame.ends());
            assertThat(last.stream()).isEqualTo(3);

            client.windowUpdate(1, 10);
            assertThat(client.readUntil(Http2Client.DATA, 1).text()).hasSize(10);
            client.windowUpdate(1, 100_000);
            assertThat(client.answer(1).body()).endsWith("data: [DONE]\n\n");
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) == 0);
        }
    }

    @Test
    void cutsAStreamOfWhichItsClientTakesNothing() throws IOException {
        try (var harness = start(config -> quick(config, t -> t.writeStall = Duration.ofMillis(300)));
                var client = Http2Client.connect(harness.port(), 0)) {
            client.post(1, path("tokens=200,bytes=400"), BODY);
            client.post(3, path("tokens=30,gap_ms=20"), BODY);
            client.windowUpdate(3, 1_000_000);
            Map<Integer, Answer> answers = client.answers(2, 0);

            assertThat(answers.get(1).reset()).isEqualTo(CANCEL);
            assertThat(answers.get(3).body()).endsWith("data: [DONE]\n\n");
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(harness.relay.metrics().held(Held.CLIENTS)).isZero();
        }
    }

    @Test
    void readsNoUpstreamOfAConnectionForWhichTooMuchWaits() throws IOException {
        Http2 small = Http2.DEFAULT.with(h -> h.pending = 128 * 1024);
        try (var harness = start(config -> config.with(c -> c.http2 = small));
                var client = Http2Client.connect(harness.port(), 0)) {
            for (int i = 0; i < 50; i++) {
                client.post(1 + 2 * i, path("tokens=2000,bytes=1000"), BODY);
            }
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) > 128 * 1024);
            await().until(() -> harness.mock.stats().requests() == 50);
            // Each may have had one read in progress when the limit was passed.
            assertThat(harness.relay.metrics().held(Held.CLIENTS)).isLessThan(128 * 1024 + 50 * 66 * 1024);

            for (int i = 0; i < 50; i++) {
                client.windowUpdate(1 + 2 * i, 10_000_000);
            }
            client.windowUpdate(0, 2_000_000_000);
            assertThat(client.answers(50, 0).values())
                    .allSatisfy(answer -> assertThat(answer.body()).endsWith("data: [DONE]\n\n"));
        }
    }

    @Test
    void withholdsTheWindowOfARequestThatItsUpstreamDoesNotTake() throws IOException {
        var over = new CountDownLatch(1);
        try (var upstream = ScriptedUpstream.start(connection -> awaitQuietly(over));
                var harness =
                        start(config -> RelayConfig.relayTo(upstream.uri()).with(c -> {
                            c.accessLog = config.accessLog();
                            c.listeners = config.listeners();
                            c.limits = Limits.DEFAULT.with(l -> l.body = 1L << 30);
                        }));
                var client = Http2Client.connect(harness.port())) {
            client.headers(1, 0, Http2Client.head("POST", "/v1/files"));
            int sent = 0;
            int window = 256 * 1024;
            int connection = 1 << 20;
            try {
                while (sent < 64 << 20) {
                    while (Math.min(window, connection) < 16_000) {
                        Frame update = client.readUntil(frame -> frame.type() == Http2Client.WINDOW_UPDATE);
                        window += update.stream() == 1 ? update.number(0) : 0;
                        connection += update.stream() == 0 ? update.number(0) : 0;
                    }
                    client.data(1, "x".repeat(16_000), false);
                    sent += 16_000;
                    window -= 16_000;
                    connection -= 16_000;
                    if (sent > 256 * 1024) {
                        client.socket().setSoTimeout(500);
                    }
                }
            } catch (SocketTimeoutException e) {
                assertThat(sent).isGreaterThan(256 * 1024);
            }
            assertThat(sent).isLessThan(64 << 20);
            await().until(() -> harness.relay.metrics().held(Held.REQUESTS) > 100_000);

            client.socket().setSoTimeout(10_000);
            client.get(3, "/healthz");
            assertThat(client.answer(3).body()).isEqualTo("ok\n");
            client.socket().close();
            await().until(() -> harness.relay.metrics().held(Held.REQUESTS) == 0);
        } finally {
            over.countDown();
        }
    }

    /**
     * An upload that stands still leaves just over a sixteenth of the connection's window. A later upload passes through
     * that.
     */
    @Test
    void letsARequestPassAnotherThatItsUpstreamDoesNotTake() throws IOException {
        var over = new CountDownLatch(1);
        int taken = 2 << 20; // more than the relay keeps for another attempt
        int whole = 1 << 20;
        int left = whole / 16 + 1;
        try (var upstream = ScriptedUpstream.start(connection -> {
                    if (connection.number() == 1) {
                        connection.socket().getInputStream().skipNBytes(taken);
                        awaitQuietly(over);
                    } else if (connection.readRequest() != null) {
                        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
                    }
                });
                var harness =
                        start(config -> RelayConfig.relayTo(upstream.uri()).with(c -> {
                            c.accessLog = config.accessLog();
                            c.listeners = config.listeners();
                            c.limits = Limits.DEFAULT.with(l -> l.body = 1L << 30);
                            // The window of a stream is wide, so that one alone can fill that of the connection.
                            c.http2 = Http2.DEFAULT.with(h -> {
                                h.window = 4 * whole;
                                h.connectionWindow = whole;
                            });
                        }));
                var client = Http2Client.connect(harness.port())) {
            // It comes behind the settings, which the client has then acknowledged.
            Frame first = client.readUntil(Http2Client.WINDOW_UPDATE, 0);
            assertThat(first.number(0)).isEqualTo(whole - 65_535);
            var uploads = new Uploads(client, 4 * whole, whole);
            uploads.begin(1, 64 << 20);
            for (int sent = 0; sent < taken + whole / 2; ) {
                sent += uploads.send(1, taken + whole / 2 - sent);
            }
            for (long waits = 0;
                    waits < whole - left;
                    waits = harness.relay.metrics().held(Held.REQUESTS)) {
                uploads.send(1, (int) (whole - left - waits));
                uploads.settle();
            }
            assertThat(uploads.connection).isLessThanOrEqualTo(left);

            uploads.begin(3, 2 << 20);
            for (int sent = 0; sent < 2 << 20; ) {
                sent += uploads.send(3, (2 << 20) - sent);
            }
            assertThat(client.answer(3).body()).isEqualTo("ok");
        } finally {
            over.countDown();
        }
    }

    /** Sends bodies within the windows of one connection. */
    private static final class Uploads {
        private static final int PART = 16_000;
        private final Http2Client client;
        private final int initial;
        private final Map<Integer, Integer> windows = new HashMap<>();
        private final Map<Integer, Integer> lengths = new HashMap<>();
        private int connection;

        Uploads(Http2Client client, int initial, int connection) {
            this.client = client;
            this.initial = initial;
            this.connection = connection;
        }

        void begin(int stream, int length) throws IOException {
            client.headers(
                    stream, 0, Http2Client.head("POST", "/v1/files").add("content-length", Integer.toString(length)));
            windows.put(stream, initial);
            lengths.put(stream, length);
        }

        /** Sends a part of at most {@code most} bytes, when the windows are open. Returns its length. */
        int send(int stream, int most) throws IOException {
            while (Math.min(windows.get(stream), connection) == 0) {
                count(client.readUntil(frame -> frame.type() == Http2Client.WINDOW_UPDATE));
            }
            int part = Math.min(Math.min(most, PART), Math.min(windows.get(stream), connection));
            int rest = lengths.merge(stream, -part, Integer::sum);
            client.data(stream, "x".repeat(part), rest == 0);
            windows.merge(stream, -part, Integer::sum);
            connection -= part;
            return part;
        }

        /** Waits until the relay has read what was sent, and has counted what of it waits. */
        void settle() throws IOException {
            for (int i = 0; i < 2; i++) { // it counts at the end of a read, behind the answer to the first
                client.frame(Http2Client.PING, 0, 0, Unpooled.buffer().writeLong(i));
                client.readUntil(frame -> {
                    count(frame);
                    return frame.type() == Http2Client.PING && frame.flags() == Http2Client.ACK;
                });
            }
        }

        private void count(Frame frame) {
            if (frame.type() == Http2Client.WINDOW_UPDATE && frame.stream() == 0) {
                connection += frame.number(0);
            } else if (frame.type() == Http2Client.WINDOW_UPDATE) {
                windows.computeIfPresent(frame.stream(), (stream, window) -> window + frame.number(0));
            }
        }
    }

    /** Its output waits for its window. */
    @Test
    void tellsTheUsageOfAStreamThatItsClientDoesNotTakeWhenTheRelayStops() throws IOException {
        var usage = new UsageLog(Path.of("unused"), 0);
        try (var lines = new AccessLines("millrace.usage");
                var harness = start(
                        config -> config.with(c -> c.telemetry = Telemetry.DEFAULT.with(t -> t.usageLog = usage)));
                var client = Http2Client.connect(harness.port(), 0)) {
            client.post(1, path("tokens=3,stall_after=2"), BODY);
            client.readUntil(Http2Client.HEADERS, 1);
            // The second output frame makes the first gap.
            await().until(() ->
                    metrics(harness).contains("\nmillrace_output_gap_seconds_count{upstream=\"default\"} 1\n"));
            harness.relay.close();
            assertThat(lines.next().get("output_frames").asInt()).isEqualTo(2);
        }
    }

    @Test
    void leavesInTwoStepsAndLosesNoRequest() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            client.post(1, path("tokens=20,gap_ms=20"), BODY);
            client.readUntil(Http2Client.HEADERS, 1);
            var drained = harness.relay.drain();
            Frame first = client.readUntil(Http2Client.GOAWAY, 0);
            assertThat(first.number(0)).isEqualTo(Integer.MAX_VALUE);
            assertThat(first.number(4)).isEqualTo(NO_ERROR);
            client.post(3, path("tokens=3,ttft_ms=300"), BODY); // was on its way
            Frame second = client.readUntil(Http2Client.GOAWAY, 0); // answers the PING
            assertThat(second.number(0)).isEqualTo(3);
            client.post(5, path("tokens=3"), BODY); // against what both have said
            Map<Integer, Answer> answers = client.answers(3, 0);

            assertThat(answers.get(1).body()).endsWith("data: [DONE]\n\n");
            assertThat(answers.get(3).body()).endsWith("data: [DONE]\n\n");
            assertThat(answers.get(5).reset()).isEqualTo(REFUSED_STREAM);
            assertThat(client.readToEnd())
                    .noneMatch(frame -> frame.stream() == 5 && frame.type() == Http2Client.HEADERS);
            assertThat(harness.mock.requests()).hasSize(2);
            client.socket().close();
            drained.join();
        }
    }

    @Test
    void closesAnIdleConnectionWithoutAnError() throws IOException {
        try (var harness = start(config -> quick(config, t -> t.keepAlive = Duration.ofMillis(100)));
                var client = Http2Client.connect(harness.port())) {
            client.get(1, "/healthz");
            assertThat(client.answer(1).status()).isEqualTo(200);
            Frame farewell = client.readUntil(Http2Client.GOAWAY, 0);

            assertThat(farewell.number(0)).isOne();
            assertThat(farewell.number(4)).isEqualTo(NO_ERROR);
            assertThat(client.readToEnd()).isEmpty();
            assertThat(metrics(harness)).contains("millrace_h2_goaway_total{reason=\"idle\"} 1.0");
        }
    }

    @Test
    void asksAClientWithManyRequestsToConnectAnew() throws IOException {
        try (var harness = start(config ->
                        config.with(c -> c.limits = config.limits().with(l -> l.requestsPerConnection = 3)));
                var client = Http2Client.connect(harness.port())) {
            for (int id = 1; id <= 5; id += 2) {
                client.get(id, "/healthz");
            }
            assertThat(client.readUntil(Http2Client.GOAWAY, 0).number(4)).isEqualTo(NO_ERROR);
            assertThat(client.readUntil(Http2Client.GOAWAY, 0).number(0)).isEqualTo(5);
            assertThat(client.readToEnd()).isEmpty();
            assertThat(metrics(harness)).contains("millrace_h2_goaway_total{reason=\"requests\"} 1.0");
        }
    }

    /** A close with unread bytes is a reset, which can destroy the last frames on their way to a slow client. */
    @Test
    void readsTheWindowsOfTheLastFramesBeforeItCloses() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            client.post(1, path("tokens=3,gap_ms=100"), BODY);
            client.readUntil(Http2Client.DATA, 1);
            harness.relay.drain();
            assertThat(client.readToEnd()).anyMatch(frame -> frame.stream() == 1 && frame.ends());
            for (int i = 0; i < 10; i++) {
                client.windowUpdate(0, 100);
                assertThat(harness.relay.metrics().openConnections()).isEqualTo(1);
            }
        }
    }

    @Test
    void asksAClientToConnectAnewWhenItsConnectionIsOld() throws IOException {
        try (var harness = start(config ->
                        config.with(c -> c.http2 = Http2.DEFAULT.with(h -> h.connectionAge = Duration.ofMillis(200))));
                var client = Http2Client.connect(harness.port())) {
            client.post(1, path("tokens=40,gap_ms=20"), BODY);
            assertThat(client.readUntil(Http2Client.GOAWAY, 0).number(0)).isEqualTo(Integer.MAX_VALUE);
            client.post(3, path("tokens=3,ttft_ms=300"), BODY); // was on its way
            Frame second = client.readUntil(Http2Client.GOAWAY, 0);
            assertThat(second.number(0)).isEqualTo(3);
            assertThat(second.number(4)).isEqualTo(NO_ERROR);
            assertThat(client.answers(2, 0).values())
                    .allSatisfy(answer -> assertThat(answer.body()).endsWith("data: [DONE]\n\n"));
            assertThat(client.readToEnd()).noneMatch(frame -> frame.type() == Http2Client.RST_STREAM);
            assertThat(metrics(harness)).contains("millrace_h2_goaway_total{reason=\"age\"} 1.0");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "6, 0, 8, 0", // PING
        "4, 0, 0, 0", // SETTINGS
        "2, 0, 5, 3", // PRIORITY
        "8, 0, 4, 0", // WINDOW_UPDATE
        "66, 0, 1, 0", // unknown
        "0, 0, 0, 1", // empty DATA
    })
    void endsAFloodOfFramesThatCarryNoRequest(int type, int flags, int length, int stream) throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port());
                var other = Http2Client.connect(harness.port())) {
            other.post(1, path("tokens=10,gap_ms=20"), BODY);
            client.headers(1, 0, Http2Client.head("POST", path("")));
            ByteBuf payload = type == Http2Client.WINDOW_UPDATE
                    ? Unpooled.buffer().writeInt(1)
                    : Unpooled.buffer().writeZero(length);
            try {
                for (int i = 0; i < 50_000; i++) {
                    client.frame(type, flags, stream, payload.duplicate());
                }
            } catch (IOException e) {
                // Closed before all of it was sent, which is what it should be.
                assertThat(e).hasMessageMatching("Connection reset.*|Broken pipe.*");
            }
            client.readToEnd();
            assertThat(other.answer(1).body()).endsWith("data: [DONE]\n\n");
            assertThat(metrics(harness))
                    .contains("millrace_h2_goaway_total{reason=\"enhance_your_calm\"} 1.0")
                    .doesNotContain("internal_error");
        }
    }

    @Test
    void endsAConnectionThatTakesManyRequestsBack() throws IOException {
        Http2 few = Http2.DEFAULT.with(h -> h.prematureResets = 20);
        try (var harness = start(config -> config.with(c -> c.http2 = few));
                var client = Http2Client.connect(harness.port())) {
            for (int i = 0; i <= 20; i++) {
                client.post(1 + 2 * i, path("ttft_ms=60000"), BODY);
                client.reset(1 + 2 * i, CANCEL);
            }
            Frame farewell = client.readUntil(Http2Client.GOAWAY, 0);
            assertThat(farewell.number(4)).isEqualTo(ENHANCE_YOUR_CALM);
            client.readToEnd();
            await().until(() -> harness.mock.stats().activeStreams() == 0);
        }
    }

    /** Nobody waits for the answers, so the requests need not begin. Few are split between two reads. */
    @Test
    void beginsNoRequestThatTheSameReadTakesBack() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            var all = new ByteArrayOutputStream();
            for (int id = 1; id < 2000; id += 2) {
                all.writeBytes(client.postBytes(id, path("ttft_ms=60000"), BODY));
                all.writeBytes(new byte[] {0, 0, 4, Http2Client.RST_STREAM, 0, 0, 0, (byte) (id >> 8), (byte) id});
                all.writeBytes(new byte[] {0, 0, 0, CANCEL});
            }
            client.sendRaw(all.toByteArray());

            assertThat(client.readUntil(Http2Client.GOAWAY, 0).number(4)).isEqualTo(ENHANCE_YOUR_CALM);
            client.readToEnd();
            assertThat(harness.mock.requests()).hasSizeLessThan(15);
            assertThat(metrics(harness)).contains("millrace_refused_total{reason=\"taken_back\"}");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/healthz", "/readyz", "/v1/\\"})
    void endsAConnectionThatAsksTheRelayItselfWithoutEnd(String path) throws IOException {
        try (var harness = start(config ->
                        config.with(c -> c.limits = config.limits().with(l -> l.requestsPerConnection = 10_000)));
                var client = Http2Client.connect(harness.port())) {
            client.sendRaw(gets(client, 2000, path));
            var answers = client.readToEnd();

            assertThat(answers)
                    .anyMatch(frame -> frame.type() == Http2Client.GOAWAY && frame.number(4) == ENHANCE_YOUR_CALM);
            assertThat(answers.stream().filter(Frame::ends).count()).isBetween(160L, 250L);
            assertThat(answers).noneMatch(frame -> frame.type() == Http2Client.RST_STREAM);
        }
    }

    @Test
    void servesNoMoreThanAllStreamsToAClientThatDoesNotHeedItsFarewell() throws IOException {
        try (var harness = start(config -> config.with(c -> {
                    c.limits = config.limits().with(l -> l.requestsPerConnection = 3);
                    c.http2 = Http2.DEFAULT.with(h -> h.streams = 10);
                }));
                var client = Http2Client.connect(harness.port())) {
            client.sendRaw(gets(client, 60, "/healthz"));
            var goAways = new ArrayList<Integer>();
            while (goAways.size() < 2) { // answers no PING
                Frame frame = client.read();
                if (frame.type() == Http2Client.GOAWAY) {
                    goAways.add(frame.number(0));
                }
            }
            assertThat(goAways).containsExactly(Integer.MAX_VALUE, 2 * (3 + 10) - 1);
        }
    }

    private static byte[] gets(Http2Client client, int count, String path) {
        var all = new ByteArrayOutputStream();
        for (int id = 1; id < 2 * count; id += 2) {
            all.writeBytes(client.getBytes(id, path));
        }
        return all.toByteArray();
    }

    @Test
    void endsAConnectionWhoseRequestsHeadDoesNotComeToItsEnd() throws IOException {
        try (var harness = start(config -> quick(config, t -> t.requestHead = Duration.ofMillis(200)));
                var client = Http2Client.connect(harness.port())) {
            client.frame(Http2Client.HEADERS, 0, 1, client.block(1, Http2Client.head("GET", "/healthz")));
            Frame farewell = client.read();
            while (farewell.type() != Http2Client.GOAWAY) { // no other frame may come inside of the head
                farewell = client.read();
            }
            assertThat(farewell.number(4)).isEqualTo(ENHANCE_YOUR_CALM);
        }
    }

    @Test
    void refusesARequestWhoseHeadIsTooLarge() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            var head = Http2Client.head("GET", "/healthz");
            for (int i = 0; i < 10; i++) {
                head.add("x-" + i, "x".repeat(1700));
            }
            client.headers(1, Http2Client.END_STREAM, head);
            assertThat(client.answer(1).status()).isEqualTo(431);
            client.get(3, "/healthz");
            assertThat(client.answer(3).body()).isEqualTo("ok\n");
        }
    }

    /** Not even what comes in the same read. */
    @Test
    void beginsNothingBehindTheHeadsThatEndAConnection() throws IOException {
        try (var harness = start(config ->
                        config.with(c -> c.limits = config.limits().with(l -> l.headerBytes = 1024)));
                var client = Http2Client.connect(harness.port())) {
            ByteBuf all = Unpooled.buffer();
            for (int id = 1; id < 20; id += 2) {
                ByteBuf large =
                        client.block(id, Http2Client.head("GET", "/healthz").add("x-large", "x".repeat(900)));
                all.writeMedium(large.readableBytes()).writeByte(Http2Client.HEADERS);
                all.writeByte(Http2Client.END_STREAM | Http2Client.END_HEADERS)
                        .writeInt(id)
                        .writeBytes(large);
            }
            for (int id = 21; id < 61; id += 2) {
                all.writeBytes(client.postBytes(id, path("tokens=2"), BODY));
            }
            client.sendRaw(ByteBufUtil.getBytes(all));

            assertThat(client.readToEnd())
                    .anyMatch(frame -> frame.type() == Http2Client.GOAWAY && frame.number(4) == ENHANCE_YOUR_CALM);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(harness.relay.metrics().exchanges("client_gone")).isZero();
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    /** Each stands for 40 MB in 16 KiB. */
    @Test
    void endsAConnectionThatSendsHpackBombs() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            ByteBuf block = client.block(1, Http2Client.head("GET", "/healthz"));
            block.writeByte(0x40) // a field for the table
                    .writeByte(6)
                    .writeBytes("x-bomb".getBytes(StandardCharsets.US_ASCII))
                    .writeBytes(new byte[] {0x7f, (byte) 0xa1, 0x1e}) // 4,000 bytes
                    .writeBytes("a".repeat(4000).getBytes(StandardCharsets.US_ASCII));
            while (block.readableBytes() < 16_000) {
                block.writeByte(0xbe); // the same once more
            }
            for (int id = 1; id < 20; id += 2) {
                client.frame(
                        Http2Client.HEADERS, Http2Client.END_STREAM | Http2Client.END_HEADERS, id, block.duplicate());
            }
            Frame farewell = client.readUntil(Http2Client.GOAWAY, 0);
            assertThat(farewell.number(4)).isEqualTo(ENHANCE_YOUR_CALM);
        }
    }

    /** A close with unread bytes would be a reset, which destroys what was sent before. */
    @Test
    void saysWhyToAClientThatGoesOnSendingAndEndsItsStreamsAtOnce() throws IOException {
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.read(); // until the relay closes
                });
                var harness =
                        start(config -> RelayConfig.relayTo(upstream.uri()).with(c -> {
                            c.accessLog = config.accessLog();
                            c.listeners = config.listeners();
                        }));
                var client = Http2Client.connect(harness.port())) {
            client.headers(1, Http2Client.END_STREAM, Http2Client.head("GET", "/v1/models"));
            await().until(() -> upstream.requests().size() == 1);
            client.windowUpdate(0, 0); // a window may not grow by 0
            for (int i = 0; i < 200; i++) {
                client.data(1, "x".repeat(16_000), false);
            }
            await().until(() ->
                    upstream.closed() == 1 && harness.relay.metrics().activeExchanges() == 0);
            assertThat(client.readUntil(Http2Client.GOAWAY, 0).number(4)).isEqualTo(PROTOCOL_ERROR);
        }
    }

    @Test
    void takesAnEmptyBodyOfAGetAndNoOther() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            client.headers(1, 0, Http2Client.head("GET", "/healthz"));
            client.data(1, "", true);
            assertThat(client.answer(1).body()).isEqualTo("ok\n");
            client.headers(3, 0, Http2Client.head("GET", "/v1/models"));
            client.data(3, "x", true);
            assertThat(client.answer(3).status()).isEqualTo(400);
        }
    }

    @Test
    void answersAHeadRequestWithoutABody() throws IOException {
        try (var harness = start(config -> config);
                var client = Http2Client.connect(harness.port())) {
            client.headers(1, Http2Client.END_STREAM, Http2Client.head("HEAD", "/healthz"));
            Answer answer = client.answer(1);
            assertThat(answer.head().get("content-length")).hasToString("3");
            assertThat(answer.body()).isEmpty();
            assertThat(answer.ended()).isTrue();
        }
    }

    private static void awaitQuietly(CountDownLatch over) throws IOException {
        try {
            over.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static RelayHarness start(UnaryOperator<RelayConfig> change) {
        return RelayHarness.start(config -> change.apply(config.with(c -> c.listeners = config.listeners().stream()
                .map(listener -> listener.with(l -> l.protocols = List.of(Protocol.H2, Protocol.HTTP_1_1)))
                .toList())));
    }

    private static RelayConfig quick(RelayConfig config, Consumer<Timeouts.Builder> change) {
        return RelayHarness.withTimeouts(config, config.timeouts().with(change));
    }

    private static String path(String spec) {
        return spec.isEmpty() ? Api.CHAT.path : RelayHarness.withSpec(Api.CHAT.path, spec);
    }

    private static String metrics(RelayHarness harness) {
        return new String(harness.relay.metrics().text(), StandardCharsets.UTF_8);
    }
}
