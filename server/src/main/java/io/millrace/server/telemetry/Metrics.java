package io.millrace.server.telemetry;

import io.millrace.server.balance.UpstreamState;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.MemoryAccount;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Sums the counts of all event loops and writes them in Prometheus' text format. Any thread may ask. */
public final class Metrics {
    /** The content type of {@link #text()}. */
    public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    private final List<LoopCounters> loops;
    private final MemoryAccount memory;
    private final Supplier<Map<String, UpstreamState>> upstreams;
    private final AtomicLong reloads = new AtomicLong();
    private final AtomicLong failedReloads = new AtomicLong();
    private volatile LongSupplier lostLogLines = () -> 0;

    /**
     * Metrics of a relay.
     *
     * @param loops one for each event loop
     * @param memory what is held
     * @param upstreams what is known of the upstreams that are configured at the moment, by name
     */
    public Metrics(List<LoopCounters> loops, MemoryAccount memory, Supplier<Map<String, UpstreamState>> upstreams) {
        this.loops = List.copyOf(loops);
        this.memory = memory;
        this.upstreams = upstreams;
    }

    /** The configuration was read again, and taken or not. */
    public void onReload(boolean taken) {
        (taken ? reloads : failedReloads).incrementAndGet();
    }

    /** Has {@code lost} asked for how many lines of the access log were lost. */
    public void lostLogLines(LongSupplier lost) {
        lostLogLines = lost;
    }

    /** Clients connected now. */
    public long openConnections() {
        return loops.stream().mapToLong(LoopCounters::openConnections).sum();
    }

    /** Exchanges that have begun and not ended. */
    public long activeExchanges() {
        return loops.stream().mapToLong(LoopCounters::activeExchanges).sum();
    }

    /** Bytes of this kind that are held. */
    public long held(Held kind) {
        return memory.held(kind);
    }

    /** Exchanges ended with this outcome, such as {@code completed}. */
    public long exchanges(String outcome) {
        return sum(LoopCounters::exchangesByOutcome).getOrDefault(outcome, 0L);
    }

    /** Attempts at the same upstream after one that had failed, of exchanges that have ended. */
    public long retries() {
        return total(LoopCounters::retries);
    }

    /** Answers of its own that the relay could not make; the client got a 500. */
    public long failures() {
        return total(LoopCounters::failures);
    }

    /** All metrics in the text exposition format 0.0.4. */
    public byte[] text() {
        var out = new ByteArrayOutputStream();
        try {
            PrometheusTextFormatWriter.create().write(out, snapshots());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private MetricSnapshots snapshots() {
        var snapshots = MetricSnapshots.builder();
        new UpstreamMetrics(upstreams.get()).snapshots().forEach(snapshots::metricSnapshot);
        for (MetricSnapshot own : List.of(
                by("outcome", "millrace_exchanges", "Requests ended, by outcome.", LoopCounters::exchangesByOutcome),
                by("outcome", "millrace_streams", "Event streams ended, by outcome.", LoopCounters::streamsByOutcome),
                by(
                        "usage",
                        "millrace_stream_usage",
                        "Event streams ended, by whether their usage is that of the whole answer or of a part.",
                        LoopCounters::streamsByUsage),
                counter("millrace_frames", "Event stream frames relayed.", total(LoopCounters::frames)),
                counter("millrace_response_bytes", "Response body bytes relayed.", total(LoopCounters::bytes)),
                counter("millrace_retries", "Attempts at the upstream that had failed.", retries()),
                counter("millrace_fallbacks", "Attempts at the next upstream.", total(LoopCounters::fallbacks)),
                counter("millrace_hedges", "Attempts beside another.", total(LoopCounters::hedges)),
                counter("millrace_own_answers_failed", "Answers of its own that the relay could not make.", failures()),
                gauge("millrace_active_exchanges", "Requests in progress.", activeExchanges()),
                gauge("millrace_open_connections", "Clients connected.", openConnections()),
                held(),
                budgets(),
                counter(
                        "millrace_access_log_lines_lost",
                        "Lines of the access log that could not be written, or came faster than they were.",
                        lostLogLines.getAsLong()),
                reloads(),
                usage())) {
            snapshots.metricSnapshot(own);
        }
        return snapshots.build();
    }

    private long total(Function<LoopCounters, Long> count) {
        return loops.stream().mapToLong(count::apply).sum();
    }

    private Map<String, Long> sum(Function<LoopCounters, Map<String, AtomicLong>> counts) {
        var sums = new TreeMap<String, Long>();
        loops.forEach(loop -> counts.apply(loop).forEach((key, cell) -> sums.merge(key, cell.get(), Long::sum)));
        return sums;
    }

    private CounterSnapshot by(
            String label, String name, String help, Function<LoopCounters, Map<String, AtomicLong>> counts) {
        var snapshot = CounterSnapshot.builder().name(name).help(help);
        sum(counts)
                .forEach((value, count) -> snapshot.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                        .labels(Labels.of(label, value))
                        .value((double) count)
                        .build()));
        return snapshot.build();
    }

    /** Streams ended whose usage is {@code exact} or {@code partial}. */
    public long streamsByUsage(String usage) {
        return sum(LoopCounters::streamsByUsage).getOrDefault(usage, 0L);
    }

    private CounterSnapshot reloads() {
        var snapshot = CounterSnapshot.builder()
                .name("millrace_config_reloads")
                .help("How often the configuration was read again, by whether it was taken.");
        Map.of("taken", reloads, "failed", failedReloads)
                .forEach((result, count) -> snapshot.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                        .labels(Labels.of("result", result))
                        .value((double) count.get())
                        .build()));
        return snapshot.build();
    }

    private CounterSnapshot usage() {
        var snapshot = CounterSnapshot.builder()
                .name("millrace_tokens")
                .help("Tokens that upstreams reported, by model and direction.");
        var input = new TreeMap<String, Long>();
        var output = new TreeMap<String, Long>();
        loops.forEach(loop -> loop.tokensByModel().forEach((model, tokens) -> {
            input.merge(model, tokens.input.get(), Long::sum);
            output.merge(model, tokens.output.get(), Long::sum);
        }));
        input.forEach((model, count) -> snapshot.dataPoint(tokens(model, "input", count)));
        output.forEach((model, count) -> snapshot.dataPoint(tokens(model, "output", count)));
        return snapshot.build();
    }

    private GaugeSnapshot held() {
        var snapshot = GaugeSnapshot.builder()
                .name("millrace_held_bytes")
                .help("Bytes held, by what they are; buffers are outside of the heap.");
        for (Held kind : Held.values()) {
            snapshot.dataPoint(
                    bytes(Labels.of("kind", kind.label(), "pool", kind.pool().label()), memory.held(kind)));
        }
        return snapshot.build();
    }

    private GaugeSnapshot budgets() {
        var snapshot =
                GaugeSnapshot.builder().name("millrace_held_bytes_limit").help("Bytes that may be held, by pool.");
        for (Held.Pool pool : Held.Pool.values()) {
            snapshot.dataPoint(
                    bytes(Labels.of("pool", pool.label()), memory.budget().of(pool)));
        }
        return snapshot.build();
    }

    private static GaugeSnapshot.GaugeDataPointSnapshot bytes(Labels labels, long value) {
        return GaugeSnapshot.GaugeDataPointSnapshot.builder()
                .labels(labels)
                .value((double) value)
                .build();
    }

    private static CounterSnapshot.CounterDataPointSnapshot tokens(String model, String direction, long count) {
        return CounterSnapshot.CounterDataPointSnapshot.builder()
                .labels(Labels.of("model", model, "direction", direction))
                .value((double) count)
                .build();
    }

    private static CounterSnapshot counter(String name, String help, long value) {
        return CounterSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                        .value((double) value)
                        .build())
                .build();
    }

    private static GaugeSnapshot gauge(String name, String help, long value) {
        return GaugeSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                        .value((double) value)
                        .build())
                .build();
    }
}
