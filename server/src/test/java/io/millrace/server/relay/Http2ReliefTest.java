package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.memory.Held;
import io.millrace.server.test.Http2Client;
import io.millrace.server.test.Http2Client.Answer;
import io.millrace.server.test.Http2Client.Frame;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A full relay, and one HTTP/2 connection with many streams. */
@Tag("sockets")
class Http2ReliefTest {
    private static final String BODY = "{\"model\":\"m\",\"stream\":true,\"messages\":[]}";
    private static final int INTERNAL_ERROR = 2;
    /** Of the streams that their client does not read, each fourth holds much. */
    private static final int STREAMS = 80;

    private static final int LARGE_EACH = 4;
    private static final int LITTLE = 2_000;
    /** The least that a relay may be given; it is relieved at three quarters of that. */
    private static final int MEMORY = 1 << 20;

    private static final int WINDOW = 10_000_000;

    /** Twenty streams hold more than 64 KiB each, the others about 2 KiB. */
    @Test
    void cutsTheLargestStreamsOfAConnectionAndNoOther() throws IOException {
        try (var harness = start(l -> {});
                var client = Http2Client.connect(harness.port(), 0)) {
            for (int i = 0; i < STREAMS; i++) {
                client.post(
                        id(i),
                        path(isLarge(id(i)) ? "tokens=200000,bytes=100" : "tokens=9,bytes=700,stall_after=3"),
                        BODY);
            }
            await().until(() -> harness.mock.stats().activeStreams() == STREAMS);
            long expected = STREAMS / LARGE_EACH * (64L << 10) + STREAMS / LARGE_EACH * 3L * LITTLE;
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) > expected);

            harness.relay.reload(config(harness, l -> l.memory = MEMORY));
            Frame cut = client.readUntil(frame -> frame.type() == Http2Client.RST_STREAM);
            assertThat(cut.number(0)).isEqualTo(INTERNAL_ERROR);
            int cuts = 1;
            assertThat(isLarge(cut.stream())).isTrue();
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) <= MEMORY / 4 * 3);
            long overloaded = harness.relay.metrics().exchanges("overloaded");
            while (cuts++ < overloaded) {
                cut = client.readUntil(frame -> frame.type() == Http2Client.RST_STREAM);
                assertThat(isLarge(cut.stream())).isTrue();
                assertThat(cut.number(0)).isEqualTo(INTERNAL_ERROR);
            }
            assertThat(overloaded).isLessThan(STREAMS / LARGE_EACH);
            await().until(() -> harness.mock.stats().activeStreams() == STREAMS - overloaded);

            client.windowUpdate(0, WINDOW);
            for (int i = 0; i < STREAMS; i++) {
                if (!isLarge(id(i))) {
                    client.windowUpdate(id(i), WINDOW);
                    assertThat(client.readUntil(Http2Client.DATA, id(i)).text()).startsWith("data: ");
                }
            }
        }
    }

    /** The connection stays, and what is in progress ends as usual. */
    @Test
    void refusesWithAStatusAboveTheMark() throws IOException {
        try (var harness = start(l -> l.memory = MEMORY);
                var client = Http2Client.connect(harness.port(), 0)) {
            int count = 0;
            while (harness.relay.metrics().held(Held.CLIENTS) <= MEMORY / 4 * 3) {
                client.post(id(count++), path("tokens=1000,bytes=100"), BODY);
                int asked = count;
                await().until(() -> harness.mock.stats().requests() == asked);
                long least = count * (64L << 10);
                await().until(() -> harness.relay.metrics().held(Held.CLIENTS) > least);
            }
            int late = id(count);
            client.post(late, path(""), BODY);
            Frame head = client.readUntil(Http2Client.HEADERS, late);
            assertThat(head.head().status()).hasToString("503");
            assertThat(head.head().get("retry-after")).hasToString("1");
            client.windowUpdate(late, WINDOW);
            assertThat(client.readUntil(frame -> frame.stream() == late && frame.ends())
                            .text())
                    .contains("relay_overloaded", "short of memory");

            client.windowUpdate(0, 1 << 30);
            for (int i = 0; i < count; i++) {
                client.windowUpdate(id(i), WINDOW);
            }
            assertThat(client.answers(count, 0).values())
                    .allSatisfy(answer -> assertThat(answer.body()).endsWith("data: [DONE]\n\n"));
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) == 0);
            int next = late + 2;
            client.post(next, path("tokens=1"), BODY);
            client.windowUpdate(next, WINDOW);
            assertThat(client.answer(next).body()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void refusesWithAStatusOverTheLimitOfRequestsInProgress() throws IOException {
        try (var harness = start(l -> l.streams = 2);
                var client = Http2Client.connect(harness.port())) {
            client.post(1, path("tokens=9,stall_after=2"), BODY);
            client.post(3, path("tokens=9,stall_after=2"), BODY);
            await().until(() -> harness.mock.stats().activeStreams() == 2);
            client.post(5, path(""), BODY);
            Answer refused = client.answer(5);
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.head().get("retry-after")).hasToString("1");
            assertThat(refused.body()).contains("relay_overloaded");

            client.reset(1, 8);
            await().until(() -> harness.mock.stats().activeStreams() == 1);
            client.post(7, path("tokens=1"), BODY);
            assertThat(client.answer(7).body()).endsWith("data: [DONE]\n\n");
        }
    }

    private static int id(int number) {
        return 1 + 2 * number;
    }

    private static boolean isLarge(int id) {
        return id / 2 % LARGE_EACH == 0;
    }

    private static String path(String spec) {
        return RelayHarness.withSpec(Api.CHAT.path, spec);
    }

    private static RelayHarness start(Consumer<Limits.Builder> limits) {
        return RelayHarness.start(config -> change(config, limits));
    }

    private static RelayConfig config(RelayHarness harness, Consumer<Limits.Builder> limits) {
        return change(RelayConfig.relayTo(harness.mock.uri()), limits)
                .with(c -> c.accessLog = RelayConfig.AccessLog.OFF);
    }

    private static RelayConfig change(RelayConfig config, Consumer<Limits.Builder> limits) {
        return config.with(c -> c.eventLoops = 1)
                .with(c -> c.limits = Limits.DEFAULT.with(limits))
                .with(c -> c.http2 = Http2.DEFAULT.with(h -> h.pending = 64 << 20))
                .with(c -> c.listeners = config.listeners().stream()
                        .map(listener -> listener.with(l -> l.protocols = List.of(Protocol.H2, Protocol.HTTP_1_1)))
                        .toList());
    }
}
