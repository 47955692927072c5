package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code /metrics} says about streams with known times. */
@Tag("sockets")
@Tag("h2")
class MetricsTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final int GAPS = 5;

    @Test
    void histogramsHaveTheTimesThatTheUpstreamTook() throws Exception {
        try (var harness = RelayHarness.start()) {
            var clients = IntStream.range(0, 4)
                    .mapToObj(i -> new Thread(() -> stream(harness, "ttft_ms=300,tokens=4,gap_ms=60")))
                    .toList();
            clients.forEach(Thread::start);
            for (Thread client : clients) {
                client.join();
            }
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            String of = "{model=\"m\",upstream=\"default\",le=\"";
            for (String family : List.of("time_to_first_token", "upstream_time_to_first_token")) {
                assertThat(value(harness, "millrace_" + family + "_seconds_bucket" + of + "0.25\"}"))
                        .isZero();
                assertThat(value(harness, "millrace_" + family + "_seconds_bucket" + of + "2.5\"}"))
                        .isEqualTo(4);
            }
            assertThat(value(harness, "millrace_time_to_first_token_seconds_sum"))
                    .isCloseTo(
                            value(harness, "millrace_upstream_time_to_first_token_seconds_sum")
                                    + value(harness, "millrace_added_time_to_first_token_seconds_sum"),
                            offset(1e-6));
            String gap = "millrace_output_gap_seconds_bucket{upstream=\"default\",le=\"";
            assertThat(value(harness, gap + "0.025\"}")).isZero();
            assertThat(value(harness, gap + "1.0\"}")).isEqualTo(12);
            assertThat(value(harness, "millrace_longest_gap_seconds_bucket" + of + "0.05\"}"))
                    .isZero();
            String duration = "millrace_exchange_duration_seconds_bucket{answer=\"stream\",model=\"m\"";
            assertThat(value(harness, duration + ",upstream=\"default\",le=\"0.25\"}"))
                    .isZero();
            assertThat(value(harness, duration + ",upstream=\"default\",le=\"5.0\"}"))
                    .isEqualTo(4);
            assertThat(value(harness, "millrace_connect_seconds_count{upstream=\"default\"}"))
                    .isBetween(1.0, 4.0);
            assertThat(value(harness, "millrace_event_loop_lag_seconds_count")).isPositive();
            assertThat(text(harness))
                    .contains("millrace_streams_total{outcome=\"completed\"} 4.0")
                    .contains(
                            "millrace_upstream_streams_total{dialect=\"chat\",model=\"m\",outcome=\"completed\",route=\"all\","
                                    + "upstream=\"default\"} 4.0");
        }
    }

    /**
     * A client of its own measures each stream, and the mock has been told the time of each. In each bucket, the relay has
     * counted at least the streams that were as quick for their client, and at most those that could be as quick.
     */
    @Test
    void timesToFirstTokenAreThoseOfAnIndependentClient() throws Exception {
        int[] toldMs = {15, 35, 70, 70, 70, 150, 150, 150, 350, 700};
        var measuredMs = new ConcurrentLinkedQueue<Double>();
        try (var harness = RelayHarness.start()) {
            var clients = IntStream.range(0, 40)
                    .mapToObj(i -> new Thread(() -> measuredMs.add(ttftMs(harness, toldMs[i % toldMs.length]))))
                    .toList();
            clients.forEach(Thread::start);
            for (Thread client : clients) {
                client.join();
            }
            assertThat(measuredMs).hasSameSizeAs(clients);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            for (String family : List.of("time_to_first_token", "upstream_time_to_first_token")) {
                assertThat(value(harness, "millrace_" + family + "_seconds_count{"))
                        .as(family)
                        .isEqualTo(40);
            }
            for (String bound : List.of("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0")) {
                double ms = Double.parseDouble(bound) * 1000;
                String of = "_seconds_bucket{model=\"m\",upstream=\"default\",le=\"" + bound + "\"}";
                long mayBe = 4 * IntStream.of(toldMs).filter(told -> told <= ms).count();
                // The relay takes its time after it has written, so a client may have read before that.
                assertThat(value(harness, "millrace_time_to_first_token" + of))
                        .as(bound)
                        .isBetween((double) within(measuredMs, ms - 100), (double) mayBe);
                assertThat(value(harness, "millrace_upstream_time_to_first_token" + of))
                        .as(bound)
                        .isBetween((double) within(measuredMs, ms), (double) mayBe);
            }
        }
    }

    /** Of the gaps that a client of its own saw, as many are in each bucket as the relay has counted there. */
    @Test
    @Tag("time")
    void gapsAreThoseOfAnIndependentClient() throws Exception {
        int[] toldMs = {15, 70, 70, 70, 70, 35, 70, 70, 350, 70};
        var measuredMs = new ConcurrentLinkedQueue<Double>();
        try (var harness = RelayHarness.start()) {
            var clients = IntStream.range(0, 20)
                    .mapToObj(i -> new Thread(() -> measuredMs.addAll(gapsMs(harness, toldMs[i % toldMs.length]))))
                    .toList();
            clients.forEach(Thread::start);
            for (Thread client : clients) {
                client.join();
            }
            assertThat(measuredMs).hasSize(clients.size() * GAPS);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            for (String bound : List.of("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0")) {
                String of = "millrace_output_gap_seconds_bucket{upstream=\"default\",le=\"" + bound + "\"}";
                assertThat(value(harness, of))
                        .as(bound)
                        .isCloseTo((double) within(measuredMs, Double.parseDouble(bound) * 1000), offset(5.0));
            }
        }
    }

    /** The times between the output frames of one stream. */
    private static List<Double> gapsMs(RelayHarness harness, int toldMs) {
        var gaps = new ArrayList<Double>();
        try (var client = harness.client()) {
            client.post(RelayHarness.withSpec(CHAT, "tokens=" + (GAPS + 1) + ",gap_ms=" + toldMs), "m", "");
            client.readUntil("\"content\":\"\""); // with the role
            long beforeNs = 0;
            for (int i = 0; i <= GAPS; i++) {
                client.readUntil("\"content\":\"");
                long nowNs = System.nanoTime();
                if (i > 0) {
                    gaps.add((nowNs - beforeNs) / 1e6);
                }
                beforeNs = nowNs;
            }
            client.readUntil("[DONE]");
            return gaps;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** With 20 upstreams, 50 models, and 100 pairs of them that have histograms. */
    @Test
    @Tag("h1") // counts the time of threads, of which HTTP/2 has others
    void aScrapeTakesLittleTimeOfEventLoops() throws IOException {
        Set<Long> others = loopsCpuNs().keySet(); // of relays that other tests have left
        try (var harness = RelayHarness.start(MetricsTest::withTwentyUpstreams);
                var client = harness.client()) {
            for (int i = 0; i < 100; i++) {
                String body = "{\"model\":\"m" + i % 50 + "\",\"stream\":true,\"messages\":[]}";
                client.send("POST", RelayHarness.withSpec(CHAT, "tokens=2"), body, "x-u" + i / 5 + ": 1");
                assertThat(client.readAll().status()).isEqualTo(200);
            }
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            long series = text(harness)
                    .lines()
                    .filter(line -> line.startsWith("millrace_time_to_first_token_seconds_count"))
                    .count();
            assertThat(series).isEqualTo(100);
            int scrapes = 20;
            for (int i = 0; i < scrapes; i++) {
                get(client, "accept-encoding: gzip");
            }
            Map<Long, Long> beforeNs = loopsCpuNs();
            beforeNs.keySet().removeAll(others);
            assertThat(beforeNs).isNotEmpty();
            for (int i = 0; i < scrapes; i++) {
                get(client, i % 2 == 0 ? "accept-encoding: gzip" : "accept-encoding: identity");
            }
            Map<Long, Long> afterNs = loopsCpuNs();
            long tookNs = beforeNs.keySet().stream()
                    .mapToLong(loop -> afterNs.get(loop) - beforeNs.get(loop))
                    .sum();
            assertThat(tookNs / scrapes)
                    .as("ns of all event loops for a scrape")
                    .isLessThan(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    private static RelayConfig withTwentyUpstreams(RelayConfig config) {
        Upstream first = config.upstreams().get("default");
        var upstreams = new LinkedHashMap<String, Upstream>();
        var routes = new ArrayList<Route>();
        for (int i = 0; i < 20; i++) {
            String name = "u" + i;
            upstreams.put(name, Upstream.of(name, first.url()));
            routes.add(Route.of(name, Match.ALL.with(m -> m.header = "x-" + name), name));
        }
        return config.with(c -> {
            c.upstreams = upstreams;
            c.routes = routes;
        });
    }

    /** The processor time of each event loop of this JVM so far, by the id of its thread. */
    private static Map<Long, Long> loopsCpuNs() {
        var threads = ManagementFactory.getThreadMXBean();
        var times = new HashMap<Long, Long>();
        for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().matches("millrace-[0-9]+-[0-9]+")) {
                times.put(thread.getThreadId(), threads.getThreadCpuTime(thread.getThreadId()));
            }
        }
        return times;
    }

    private static long within(Collection<Double> measuredMs, double ms) {
        return measuredMs.stream().filter(measured -> measured <= ms).count();
    }

    /** From before the first byte of the request to the first output. */
    private static double ttftMs(RelayHarness harness, int toldMs) {
        try (var client = harness.client()) {
            long beganNs = System.nanoTime();
            client.post(RelayHarness.withSpec(CHAT, "tokens=2,ttft_ms=" + toldMs), "m", "");
            client.readUntil("\"content\":\"");
            double took = (System.nanoTime() - beganNs) / 1e6;
            client.readUntil("[DONE]");
            return took;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void openStreamsAreThoseInProgress() throws IOException {
        try (var harness = RelayHarness.start()) {
            try (var one = harness.client();
                    var other = harness.client()) {
                one.post(RelayHarness.withSpec("/v1/chat/completions", "stall_after=2"), "m", "");
                one.readUntil("data:");
                other.post(RelayHarness.withSpec("/v1/chat/completions", "stall_after=2"), "m", "");
                other.readUntil("data:");
                assertThat(value(harness, "millrace_open_streams ")).isEqualTo(2);
            }
            await().until(() -> value(harness, "millrace_open_streams ") == 0);
        }
    }

    /** Clients choose the names. Those that no upstream has served are counted together. */
    @ParameterizedTest
    @CsvSource({"status=404", "status=503", "reset_after=0", "stall_head=1"})
    void aModelThatNoUpstreamHasServedGetsNoLabel(String spec) throws IOException {
        try (var harness = RelayHarness.start(config -> RelayHarness.withRetry(config, Retry.OFF))) {
            try (var client = harness.client()) {
                client.post(RelayHarness.withSpec("/v1/chat/completions", spec), "random-7261", "");
                if (spec.startsWith("stall")) {
                    await().until(() -> !harness.mock.requests().isEmpty());
                } else {
                    client.readAll();
                }
            }
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(text(harness)).contains("model=\"other\"").doesNotContain("random-7261");
        }
    }

    @Test
    void theFormatIsWhatTheClientAccepts() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            RawClient.Response plain = get(client);
            assertThat(plain.header("content-type")).startsWith("text/plain; version=0.0.4");
            assertThat(plain.header("content-encoding")).isNull();
            assertThat(plain.text()).doesNotContain("# EOF");
            RawClient.Response open = get(
                    client,
                    "accept: application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5",
                    "accept-encoding: br, gzip;q=0.5");
            assertThat(open.header("content-type")).startsWith("application/openmetrics-text");
            assertThat(open.header("content-encoding")).isEqualTo("gzip");
            try (var unzipped = new GZIPInputStream(new ByteArrayInputStream(open.body()))) {
                assertThat(new String(unzipped.readAllBytes(), StandardCharsets.UTF_8))
                        .endsWith("# EOF\n");
            }
            assertThat(get(client, "accept-encoding: gzip;q=0, identity").header("content-encoding"))
                    .isNull();
        }
    }

    private static RawClient.Response get(RawClient client, String... headers) throws IOException {
        client.send("GET", "/metrics", "", headers);
        return client.readAll();
    }

    private static void stream(RelayHarness harness, String spec) {
        try {
            harness.stream(CHAT, spec);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String text(RelayHarness harness) {
        return new String(harness.relay.metrics().text(), StandardCharsets.UTF_8);
    }

    /** The value of the first series that begins like this; 0 if there is none. */
    private static double value(RelayHarness harness, String series) {
        return text(harness)
                .lines()
                .filter(line -> line.startsWith(series))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .findFirst()
                .orElse(0);
    }
}
