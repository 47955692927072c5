package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An upstream that is killed. At any point of the stream, the client gets whole frames and the truth. */
@Tag("sockets")
@Tag("h2")
class CutStreamTest {
    private static final int CLIENTS = 6;

    /** A stream of which the upstream sends only the first {@code at} bytes, then a FIN or a RST. */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    private record Cut(Api api, String spec, byte[] whole, int at, boolean reset) {
        @Override
        public String toString() {
            return api + " " + spec + " " + (reset ? "RST" : "FIN") + " at byte " + at + " of " + whole.length;
        }

        String mockSpec() {
            return spec + (reset ? ",reset_at_byte=" : ",end_at_byte=") + at;
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void tellsTheTruthWhereverTheUpstreamIsKilled(Transport transport) throws Exception {
        try (var harness = RelayHarness.start(
                config -> RelayHarness.withRetry(config.with(c -> c.transport = transport), Retry.OFF))) {
            var cuts = new ArrayList<Cut>();
            for (Api api : Api.values()) {
                cuts.addAll(cuts(harness, api, "tokens=8"));
                cuts.addAll(cuts(harness, api, "replay=" + api.recording));
            }
            runAll(cuts.stream()
                    .map(cut -> (Callable<Void>) () -> {
                        assertTruth(harness, cut);
                        return null;
                    })
                    .toList());
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            await().until(() -> harness.mock.stats().openConnections() == 0);
        }
    }

    /** Cuts of each stream at random bytes, beside those at every frame boundary. */
    int randomCuts() {
        return 200;
    }

    /** At every frame boundary and at random bytes, both ways. */
    private List<Cut> cuts(RelayHarness harness, Api api, String spec) throws IOException {
        byte[] whole = normal(harness.stream(api.path, spec).body());
        var random = new SplittableRandom(api.path.hashCode() * 31L + spec.hashCode());
        var places = new TreeSet<Integer>();
        int boundary = 0;
        for (byte[] frame : RawClient.cut(whole)) {
            places.add(boundary);
            boundary += frame.length;
        }
        places.add(boundary);
        for (int i = 0; i < randomCuts() / 2; i++) {
            places.add(random.nextInt(whole.length));
        }
        var cuts = new ArrayList<Cut>();
        for (int at : places) {
            cuts.add(new Cut(api, spec, whole, at, false));
            cuts.add(new Cut(api, spec, whole, at, true));
        }
        return cuts;
    }

    private static void runAll(List<Callable<Void>> tasks) throws Exception {
        var clients = Executors.newFixedThreadPool(CLIENTS);
        try {
            for (Future<Void> done : clients.invokeAll(tasks)) {
                done.get();
            }
        } finally {
            clients.shutdownNow();
        }
    }

    private static void assertTruth(RelayHarness harness, Cut cut) throws IOException {
        List<byte[]> expected = RawClient.cut(Arrays.copyOf(cut.whole(), cut.at()));
        try (var client = harness.client()) {
            client.post(RelayHarness.withSpec(cut.api().path, cut.mockSpec()), "m", "");
            RawClient.Response response = client.readAll();
            String got = new String(normal(response.body()), StandardCharsets.UTF_8);
            assertThat(response.end()).as(cut.toString()).isEqualTo(RawClient.End.COMPLETE);
            StreamInspector inspector = inspect(cut.api(), expected);
            if (inspector.outputFrames() == 0 && inspector.end() == StreamEnd.OPEN) {
                assertRefused(cut, response);
                return;
            }
            assertThat(response.status()).as(cut.toString()).isEqualTo(200);
            String whole = text(expected);
            if (inspector.end() == StreamEnd.TERMINAL || inspector.end() == StreamEnd.DONE) {
                assertThat(got).as(cut.toString()).isEqualTo(whole);
                return;
            }
            assertThat(got).as(cut.toString()).startsWith(whole);
            Api.Failure failure = cut.api().failureOf(got.substring(whole.length()));
            assertThat(failure.code()).as(cut.toString()).isEqualTo(code(cut));
            assertThat(failure.message())
                    .as(cut.toString())
                    .endsWith(" after " + inspector.outputFrames() + " output frames, "
                            + whole.getBytes(StandardCharsets.UTF_8).length + " bytes");
        }
    }

    private static void assertRefused(Cut cut, RawClient.Response response) {
        assertThat(response.status()).as(cut.toString()).isEqualTo(502);
        Api.Failure refusal = cut.api().refusalOf(response.text());
        if (refusal.code() != null) {
            assertThat(refusal.code()).as(cut.toString()).isEqualTo(code(cut));
        }
    }

    private static String code(Cut cut) {
        return cut.reset() ? "upstream_reset" : "upstream_truncated";
    }

    private static StreamInspector inspect(Api api, List<byte[]> frames) {
        StreamInspector inspector = api.dialect.newInspector();
        frames.forEach(frame -> inspector.inspect(Unpooled.wrappedBuffer(frame), 0, frame.length));
        return inspector;
    }

    private static String text(List<byte[]> frames) {
        var text = new StringBuilder();
        frames.forEach(frame -> text.append(new String(frame, StandardCharsets.UTF_8)));
        return text.toString();
    }

    /** Without the ids and times that differ from one generated stream to the next, all of the same length. */
    private static byte[] normal(byte[] body) {
        return new String(body, StandardCharsets.ISO_8859_1)
                .replaceAll("mock[0-9]{8}", "mock00000000")
                .replaceAll("\"created(_at)?\":[0-9]{10}", "\"created$1\":1000000000")
                .getBytes(StandardCharsets.ISO_8859_1);
    }
}
