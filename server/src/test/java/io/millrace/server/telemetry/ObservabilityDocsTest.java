package io.millrace.server.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Usage;
import io.millrace.server.balance.AttemptCounts;
import io.millrace.server.balance.UpstreamState;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.LogField;
import io.millrace.server.config.Upstream;
import io.millrace.server.limit.SharedLimits;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.share.StoreCounters;
import io.millrace.server.tls.TlsServers;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Label;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/observability.md lists each metric with its type and its labels, and no other. */
class ObservabilityDocsTest {
    private static final Pattern ROW =
            Pattern.compile("^\\| `([a-z0-9_]+)` \\| ([a-z]+) \\|([^|]*)\\| [^|]+ \\|$", Pattern.MULTILINE);
    private static final Pattern LABEL = Pattern.compile("`([a-z_]+)`");

    /** A metric: its type and the names of its labels. */
    private record Kind(String type, Set<String> labels) {}

    @Test
    void listsEveryMetric() throws IOException {
        var told = new TreeMap<String, Kind>();
        for (MatchResult row : ROW.matcher(Files.readString(Path.of("..", "docs", "observability.md")))
                .results()
                .toList()) {
            var labels = new TreeSet<String>();
            LABEL.matcher(row.group(3)).results().forEach(label -> labels.add(label.group(1)));
            told.put(row.group(1), new Kind(row.group(2), labels));
        }
        var real = new TreeMap<String, Kind>();
        all().forEach(metric -> real.put(name(metric), new Kind(type(metric), labels(metric))));
        assertThat(told.keySet()).containsExactlyInAnyOrderElementsOf(real.keySet());
        told.forEach((name, kind) -> {
            assertThat(kind.type()).as(name).isEqualTo(real.get(name).type());
            if (!real.get(name).labels().isEmpty() || kind.labels().isEmpty()) {
                assertThat(kind.labels()).as(name).isEqualTo(real.get(name).labels());
            }
        });
        // Those whose labels this test does not see, because nothing has happened that they count.
        assertThat(told.entrySet())
                .filteredOn(metric -> !metric.getValue().labels().isEmpty()
                        && real.get(metric.getKey()).labels().isEmpty())
                .extracting(Map.Entry::getKey)
                .containsExactlyInAnyOrder(
                        "millrace_certificate_expiry_seconds",
                        "millrace_connect_seconds",
                        "millrace_h2_goaway_total",
                        "millrace_output_gap_seconds",
                        "millrace_replay_resumes_total",
                        "millrace_replay_store_errors_total",
                        "millrace_tls_handshakes_failed_total");
    }

    @Test
    void listsEveryFieldOfTheAccessLog() throws IOException {
        String docs = Files.readString(Path.of("..", "docs", "observability.md"));
        String table = docs.substring(docs.indexOf("\n## The access log"));
        var told = new TreeSet<String>();
        for (String row : table.lines().filter(line -> line.startsWith("| `")).toList()) {
            LABEL.matcher(row.substring(0, row.indexOf('|', 1))).results().forEach(field -> told.add(field.group(1)));
        }
        assertThat(told)
                .containsExactlyInAnyOrderElementsOf(
                        Stream.of(LogField.values()).map(LogField::label).toList());
    }

    /** What a relay tells that has clients with keys, TLS, shared limits and an upstream that was asked once. */
    private static List<MetricSnapshot> all() {
        var loop = new LoopCounters();
        loop.began();
        loop.connections(Protocol.HTTP_1_1, 1);
        loop.refused("rate_limit_exceeded");
        loop.ended(summary());
        var state = new UpstreamState(Upstream.of("u", URI.create("http://a")));
        AttemptCounts attempts = state.attempts(state.origins().get(0));
        attempts.onBegin(AttemptCounts.Kind.FIRST);
        attempts.onFailure("503");
        var memory = new MemoryAccount(1, MemoryBudget.ofJvm());
        var metrics = new Metrics(List.of(loop), 1, memory, () -> Map.of("u", state));
        metrics.build("version", "1", "revision", "2", "netty", "3");
        metrics.sharedLimits(new SharedLimits(1));
        var all = new ArrayList<MetricSnapshot>();
        metrics.snapshots().forEach(all::add);
        all.addAll(new ReplayMetrics(new ReplayMemory(0), new StoreCounters()).snapshots());
        all.addAll(new TlsMetrics(new TlsServers(List.of(), () -> 1)).snapshots());
        return all;
    }

    private static Summary summary() {
        var timeline = new Timeline();
        timeline.requestCompleteNs = timeline.startNs;
        timeline.attemptNs = timeline.startNs;
        timeline.onOutput(timeline.startNs + 1);
        timeline.firstOutputWrittenNs = timeline.startNs + 2;
        timeline.endNs = timeline.startNs + 3;
        var usage = new Usage(1, 2, 3, 4, 5);
        return new Summary(
                new Summary.Request(
                        null, Protocol.HTTP_1_1, null, "id", "POST", "/", "chat", "m", 9, Correlation.NONE, "web", "k"),
                new Summary.Attempts(
                        "r", new Summary.Asked("u", null, null, null, null, null), 1, 0, 0, false, List.of()),
                new Summary.Response(200, Outcome.COMPLETED, null, null, false, 9, Summary.Whole.NONE),
                new Summary.Stream("stop", "served", 2, 1, usage, true),
                null,
                timeline);
    }

    private static String name(MetricSnapshot metric) {
        String suffix = metric instanceof CounterSnapshot ? "_total" : metric instanceof InfoSnapshot ? "_info" : "";
        return metric.getMetadata().getPrometheusName() + suffix;
    }

    private static String type(MetricSnapshot metric) {
        return metric.getClass().getSimpleName().replace("Snapshot", "").toLowerCase(Locale.ROOT);
    }

    private static Set<String> labels(MetricSnapshot metric) {
        var names = new TreeSet<String>();
        metric.getDataPoints().forEach(point -> {
            for (Label label : point.getLabels()) {
                names.add(label.getName());
            }
        });
        return names;
    }
}
