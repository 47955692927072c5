package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;
import static io.millrace.server.telemetry.Snapshots.gauge;

import io.millrace.server.balance.UpstreamState;
import io.millrace.server.limit.SharedLimits;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.share.NodeShare;
import io.millrace.server.tls.TlsServers;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Sums the counts of all event loops and writes them in Prometheus' text format. Any thread may ask. */
public final class Metrics {
    /** The content type of {@link #text()}. */
    public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    private final List<LoopCounters> loops;
    private final List<LoopCounters> relaying;
    private final MemoryAccount memory;
    private final Supplier<Map<String, UpstreamState>> upstreams;
    private final AtomicLong reloads = new AtomicLong();
    private final AtomicLong failedReloads = new AtomicLong();
    private final AtomicLong clientReads = new AtomicLong();
    private final AtomicLong failedClientReads = new AtomicLong();
    private volatile LongSupplier lostLogLines = () -> 0;
    private volatile @Nullable TlsServers tls;
    private volatile @Nullable SharedLimits sharedLimits;
    private volatile @Nullable ReplayMetrics kept;

    /**
     * Metrics of a relay.
     *
     * @param loops one for each event loop
     * @param relaying how many of these, from the first, are of event loops that relay
     * @param memory what is held
     * @param upstreams what is known of the upstreams that are configured at the moment, by name
     */
    public Metrics(
            List<LoopCounters> loops,
            int relaying,
            MemoryAccount memory,
            Supplier<Map<String, UpstreamState>> upstreams) {
        this.loops = List.copyOf(loops);
        this.relaying = this.loops.subList(0, relaying);
        this.memory = memory;
        this.upstreams = upstreams;
    }

    /** The configuration was read again, and accepted or refused. */
    public void onReload(boolean taken) {
        (taken ? reloads : failedReloads).incrementAndGet();
    }

    /** The file of clients was read after a change, and accepted or refused. */
    public void onClientsRead(boolean taken) {
        (taken ? clientReads : failedClientReads).incrementAndGet();
    }

    /** Reports {@code lost} as the number of lost lines of the access log. */
    public void lostLogLines(LongSupplier lost) {
        lostLogLines = lost;
    }

    /** Reports the TLS of listeners from {@code servers}. */
    public void tls(TlsServers servers) {
        tls = servers;
    }

    /** Reports what is shared with other nodes; null if nothing is. */
    public void sharedLimits(@Nullable SharedLimits limits) {
        sharedLimits = limits;
    }

    /** Reports the streams that are kept in {@code memory}, and shared by {@code node}; null if they are not shared. */
    public void kept(ReplayMemory memory, @Nullable NodeShare node) {
        kept = new ReplayMetrics(memory, node == null ? null : node.counters());
    }

    /** Clients connected now. */
    public long openConnections() {
        return total(loop -> loop.connections);
    }

    /** The part of them that event loops which relay serve. */
    public long relayedConnections() {
        return relaying.stream().mapToLong(loop -> loop.connections.get()).sum();
    }

    /** Exchanges that have begun and not ended. */
    public long activeExchanges() {
        return total(loop -> loop.exchanges);
    }

    /** Bytes of this kind that are held. */
    public long held(Held kind) {
        return memory.held(kind);
    }

    /** Exchanges ended with this outcome, such as {@code completed}. */
    public long exchanges(String outcome) {
        return sum(loop -> loop.exchangesByOutcome).getOrDefault(outcome, 0L);
    }

    /** Attempts at the same upstream after one that had failed, of exchanges that have ended. */
    public long retries() {
        return total(loop -> loop.retries);
    }

    /** Answers of its own that the relay could not make; the client got a 500. */
    public long failures() {
        return total(loop -> loop.failures);
    }

    /** Streams ended whose usage is {@code exact} or {@code partial}. */
    public long streamsByUsage(String usage) {
        return sum(loop -> loop.streamsByUsage).getOrDefault(usage, 0L);
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
        new ClientMetrics(loops).snapshots().forEach(snapshots::metricSnapshot);
        for (MetricSnapshot own : List.of(
                counter("millrace_exchanges", "Requests ended, by outcome.", by("outcome", l -> l.exchangesByOutcome)),
                counter(
                        "millrace_refused",
                        "Requests and connections that the relay refused or cut, by the code of the refusal.",
                        by("reason", l -> l.refusalsByReason)),
                counter("millrace_streams", "Event streams ended, by outcome.", by("outcome", l -> l.streamsByOutcome)),
                counter(
                        "millrace_stream_usage",
                        "Event streams ended, by whether their usage is that of the whole answer or of a part.",
                        by("usage", l -> l.streamsByUsage)),
                counter("millrace_frames", "Event stream frames relayed.", total(l -> l.frames)),
                counter("millrace_response_bytes", "Response body bytes relayed.", total(l -> l.bytes)),
                counter("millrace_retries", "Attempts at the upstream that had failed.", retries()),
                counter("millrace_fallbacks", "Attempts at the next upstream.", total(l -> l.fallbacks)),
                counter("millrace_hedges", "Attempts beside another.", total(l -> l.hedges)),
                counter("millrace_own_answers_failed", "Answers of its own that the relay could not make.", failures()),
                gauge("millrace_active_exchanges", "Requests in progress.", activeExchanges()),
                gauge("millrace_open_connections", "Clients connected.", openConnections()),
                gauge(
                        "millrace_connections",
                        "Clients connected, by what they speak.",
                        by("protocol", l -> l.connectionsByProtocol)),
                counter(
                        "millrace_h2_goaway",
                        "HTTP/2 connections whose client was asked to leave, by why.",
                        by("reason", l -> l.goAwaysByReason)),
                gauge("millrace_held_bytes", "Bytes held, by what they are; buffers are outside of the heap.", held()),
                gauge("millrace_held_bytes_limit", "Bytes that may be held, by pool.", budgets()),
                counter(
                        "millrace_access_log_lines_lost",
                        "Lines of the access log that could not be written, or came faster than they were.",
                        lostLogLines.getAsLong()),
                counter(
                        "millrace_config_reloads",
                        "How often the configuration was read again, by whether it was taken.",
                        Map.of(Labels.of("result", "taken"), reloads, Labels.of("result", "failed"), failedReloads)),
                counter(
                        "millrace_client_file_reads",
                        "How often the file of clients was read after a change, by whether it was taken.",
                        Map.of(
                                Labels.of("result", "taken"),
                                clientReads,
                                Labels.of("result", "failed"),
                                failedClientReads)),
                counter("millrace_tokens", "Tokens that upstreams reported, by model and direction.", tokens()))) {
            snapshots.metricSnapshot(own);
        }
        TlsServers servers = tls;
        if (servers != null && !servers.ends().isEmpty()) {
            new TlsMetrics(servers).snapshots().forEach(snapshots::metricSnapshot);
        }
        SharedLimits shared = sharedLimits;
        if (shared != null) {
            new SharedLimitMetrics(shared).snapshots().forEach(snapshots::metricSnapshot);
        }
        ReplayMetrics logs = kept;
        if (logs != null) {
            logs.snapshots().forEach(snapshots::metricSnapshot);
        }
        return snapshots.build();
    }

    private long total(Function<LoopCounters, AtomicLong> count) {
        long sum = 0;
        for (int i = 0; i < loops.size(); i++) { // runs for each request
            sum += count.apply(loops.get(i)).get();
        }
        return sum;
    }

    private Map<String, Long> sum(Function<LoopCounters, Map<String, AtomicLong>> counts) {
        var sums = new HashMap<String, Long>();
        loops.forEach(loop -> counts.apply(loop).forEach((key, cell) -> sums.merge(key, cell.get(), Long::sum)));
        return sums;
    }

    private Map<Labels, Long> by(String label, Function<LoopCounters, Map<String, AtomicLong>> counts) {
        var points = new HashMap<Labels, Long>();
        sum(counts).forEach((value, count) -> points.put(Labels.of(label, value), count));
        return points;
    }

    private Map<Labels, Long> tokens() {
        var points = new HashMap<Labels, Long>();
        loops.forEach(loop -> loop.tokensByModel.forEach((model, tokens) -> {
            points.merge(Labels.of("model", model, "direction", "input"), tokens.input.get(), Long::sum);
            points.merge(Labels.of("model", model, "direction", "output"), tokens.output.get(), Long::sum);
        }));
        return points;
    }

    private Map<Labels, Long> held() {
        var points = new HashMap<Labels, Long>();
        for (Held kind : Held.values()) {
            points.put(Labels.of("kind", kind.label(), "pool", kind.pool().label()), memory.held(kind));
        }
        return points;
    }

    private Map<Labels, Long> budgets() {
        var points = new HashMap<Labels, Long>();
        for (Held.Pool pool : Held.Pool.values()) {
            points.put(Labels.of("pool", pool.label()), memory.budget().of(pool));
        }
        return points;
    }
}
