package io.millrace.bench.stats;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.stream.Behaviours;
import io.millrace.bench.stream.Clients;
import io.millrace.bench.stream.Endpoint;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.Prompts;
import io.millrace.bench.stream.RequestTemplate;
import io.millrace.bench.stream.StreamLimits;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.bench.stream.StreamSample;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.Certificates;
import io.millrace.server.test.Http2Mock;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.tls.UpstreamTls;
import io.millrace.server.transport.Transport;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is reported over HTTP/2: many streams on few connections, and what becomes of them. */
@Tag("sockets")
class Http2TruthTest {
    private static final long MINUTES_NS = TimeUnit.MINUTES.toNanos(5);
    private static final String ANSWER =
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n";

    @TempDir
    private Path directory;

    private static RunResult run(String url, SslContext tls, int connections, String spec, LoadShape shape)
            throws Exception {
        return run(url, tls, connections, spec, shape, null);
    }

    private static RunResult run(
            String url, SslContext tls, int connections, String spec, LoadShape shape, Consumer<StreamSample> sink)
            throws Exception {
        var endpoint = Endpoint.of(url, null, "mock");
        var template = RequestTemplate.of(endpoint, "mock")
                .header("x-mock: " + spec)
                .http2(connections)
                .build();
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), endpoint.port());
        var clients = Clients.of(Behaviours.NONE, new StreamLimits(60_000, MINUTES_NS, MINUTES_NS, MINUTES_NS));
        var plan = new StreamPlan(template, address, tls, Prompts.fixed("Hello"), shape, clients, 1);
        try (var runner = new Runner(Transport.best(), 1)) {
            return runner.run(plan, null, sink, Runner.Watcher.NONE);
        }
    }

    private static RunResult run(Http2Mock mock, int connections, LoadShape shape) throws Exception {
        return run(mock.uri() + "/v1", null, connections, "tokens=1", shape);
    }

    private static void answer(Http2Mock.Request request) {
        request.stream().data(ANSWER).end();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void timesAreThoseOfTheStreamsOfOneConnection(boolean encrypted) throws Exception {
        var certificates = encrypted ? Certificates.in(directory) : null;
        SslContext tls = encrypted ? UpstreamTls.context(certificates.ca(), Upstream.Http.Version.HTTP_2) : null;
        RelayHarness.speakTls(certificates);
        try (var harness = RelayHarness.start(config -> config.with(c -> c.listeners = config.listeners().stream()
                .map(listener -> listener.with(l -> l.protocols = List.of(Protocol.H2, Protocol.HTTP_1_1)))
                .toList()))) {
            String url = (encrypted ? "https://localhost:" : "http://localhost:") + harness.port() + "/v1";
            var result = run(url, tls, 2, "tokens=6,ttft_ms=100,gap_ms=20,stamp=1", Bench.closed(20, 40));

            assertThat(result.errors()).isEmpty();
            assertThat(result.completed()).isEqualTo(40);
            assertThat(result.of(Metric.TTFT_SENT).min()).isGreaterThan(99.8);
            assertThat(result.of(Metric.TTFT).min()).isGreaterThan(99.8);
            assertThat(result.of(Metric.E2E).min()).isGreaterThan(199.6);
            assertThat(result.of(Metric.TRANSIT).count()).isEqualTo(40 * 6);
            assertThat(result.of(Metric.CONNECT).count()).as("two connections").isEqualTo(2);
            assertThat(result.outputTokens()).isEqualTo(40 * 6);
        } finally {
            RelayHarness.speakTls(null);
            ReferenceCountUtil.release(tls);
        }
    }

    @Test
    void spreadsStreamsOverItsConnections() throws Exception {
        // Nobody is answered before all connections have a stream.
        var held = new ArrayList<Http2Mock.Request>();
        var connections = new HashSet<Http2Mock.Connection>();
        try (var mock = Http2Mock.start(request -> {
            held.add(request);
            connections.add(request.connection());
            if (connections.size() == 3) {
                held.forEach(Http2TruthTest::answer);
                held.clear();
            }
        })) {
            var result = run(mock, 3, Bench.closed(9, 45));

            assertThat(result.errors()).isEmpty();
            assertThat(result.of(Metric.PLACE_WAIT).max()).as("there is room").isZero();
            assertThat(mock.connections()).hasSize(3);
            assertThat(mock.requests()).hasSize(45);
            for (var connection : mock.connections()) {
                assertThat(mock.requests())
                        .filteredOn(request -> request.connection() == connection)
                        .hasSizeGreaterThan(2);
            }
            assertThat(mock.requests().get(0).head().authority()).hasToString("127.0.0.1:" + mock.port());
            assertThat(mock.requests().get(0).body()).contains("\"stream\":true");
        }
    }

    @Test
    void streamsWaitForRoomAndTheirWaitingCounts() throws Exception {
        var most = new AtomicInteger();
        try (var mock = Http2Mock.start(new Http2Settings().maxConcurrentStreams(2), request -> {
            most.accumulateAndGet(request.connection().activeStreams(), Math::max);
            request.stream();
            CompletableFuture.delayedExecutor(50, TimeUnit.MILLISECONDS)
                    .execute(() -> request.data(ANSWER).end());
        })) {
            var result = run(mock, 1, Bench.closed(6, 12));

            assertThat(result.errors()).isEmpty();
            assertThat(result.completed()).isEqualTo(12);
            assertThat(mock.connections()).hasSize(1);
            assertThat(most).hasValueLessThanOrEqualTo(2);
            assertThat(result.of(Metric.TTFT_SENT).min()).isGreaterThan(49.9);
            assertThat(result.of(Metric.PLACE_WAIT).count()).isEqualTo(12);
            assertThat(result.of(Metric.PLACE_WAIT).max()).isGreaterThan(99.7);
            assertThat(result.verdict().grade()).isEqualTo(Verdict.Grade.INVALID);
            assertThat(result.verdict().reasons()).anyMatch(reason -> reason.contains("more places: --connections"));
            // Two at a time: of the first six, the last two wait for two others of 50 ms each.
            assertThat(result.of(Metric.TTFT).max()).isGreaterThan(149.7);
        }
    }

    /** The stream that ends is still counted as open while its end is read. */
    @Test
    @Timeout(30)
    void aPlaceIsTakenAsSoonAsItIsFree() throws Exception {
        try (var mock = Http2Mock.start(new Http2Settings().maxConcurrentStreams(1), Http2TruthTest::answer)) {
            var result = run(mock, 1, Bench.closed(3, 9));

            assertThat(result.errors()).isEmpty();
            assertThat(result.completed()).isEqualTo(9);
            assertThat(mock.connections()).hasSize(1);
        }
    }

    @Test
    void connectionsThatTheServerEndsAreReplacedAtOnce() throws Exception {
        // Each connection takes two requests, and stays open after that, as one with a longer stream would.
        try (var mock = Http2Mock.start(request -> {
            if (request.connection().begun().size() == 2) {
                request.connection().goAway(request.id(), Http2Error.NO_ERROR);
            }
            answer(request);
        })) {
            var result = run(mock, 1, Bench.closed(1, 6));

            assertThat(result.errors()).isEmpty();
            assertThat(result.completed()).isEqualTo(6);
            assertThat(mock.connections()).hasSize(3);
        }
    }

    @Test
    void namesWhatTheServerDidToAStream() throws Exception {
        var number = new AtomicInteger();
        try (var mock = Http2Mock.start(request -> {
            if (number.getAndIncrement() % 2 == 0) {
                request.reset(Http2Error.REFUSED_STREAM);
            } else {
                request.stream().data("data: {}\n\n");
                request.reset(Http2Error.INTERNAL_ERROR);
            }
        })) {
            var result = run(mock, 1, Bench.closed(1, 4));

            assertThat(result.errors())
                    .containsEntry("no_answer: RST_STREAM REFUSED_STREAM", 2L)
                    .containsEntry("reset: RST_STREAM INTERNAL_ERROR", 2L);
        }
    }

    /** Its event loop reads all streams of a connection. If it comes late to them, the times are its own. */
    @Test
    void anUnfitClientSaysSo() throws Exception {
        try (var mock = Http2Mock.start(Http2TruthTest::answer)) {
            var result = run(mock.uri() + "/v1", null, 1, "tokens=1", Bench.closed(4, 20), sample -> spin());

            assertThat(result.errors()).isEmpty();
            assertThat(result.verdict().grade()).isEqualTo(Verdict.Grade.INVALID);
            assertThat(result.verdict().reasons()).anyMatch(reason -> reason.startsWith("event-loop lag"));
        }
    }

    private static void spin() {
        long untilNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(30);
        while (System.nanoTime() < untilNs) {
            Thread.onSpinWait();
        }
    }

    @Test
    void namesAServerWithoutHttp2() throws Exception {
        try (var harness = RelayHarness.start()) {
            var result = run(harness.mock.uri() + "/v1", null, 1, "tokens=1", Bench.closed(1, 2));

            assertThat(result.completed()).isZero();
            assertThat(result.errors()).containsOnlyKeys("connect: no http/2");
        }
    }
}
