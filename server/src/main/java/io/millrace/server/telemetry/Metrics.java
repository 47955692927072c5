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
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Sums the counts of all event loops and writes them for Prometheus. Any thread may ask. */
public final class Metrics {
    private final List<LoopCounters> loops;
    private final List<LoopCounters> relaying;
    private final MemoryAccount memory;
    private final Supplier<Map<String, UpstreamState>> upstreams;
    private final Reloads reloads = new Reloads();
    private volatile Labels build = Labels.EMPTY;
    private volatile BooleanSupplier draining = () -> false;
    private volatile LongSupplier lostLogLines = () -> 0;
    private volatile LongSupplier lostUsageLines = () -> 0;
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

    /** The configuration was read again, which took {@code tookNs}, and accepted or refused. */
    public void onReload(boolean taken, long tookNs) {
        reloads.onConfiguration(taken, tookNs);
    }

    /** The file of clients was read after a change, and accepted or refused. */
    public void onClientsRead(boolean taken) {
        reloads.onClients(taken);
    }

    /** Reports this build, such as its version. Names and values in turn. */
    public void build(String... namesAndValues) {
        build = Labels.of(namesAndValues);
    }

    /** Reports whether the relay is about to stop. */
    public void draining(BooleanSupplier isDraining) {
        draining = isDraining;
    }

    /** Reports these as the numbers of lost lines of the access log and of the usage log. */
    public void lostLogLines(LongSupplier ofAccess, LongSupplier ofUsage) {
        lostLogLines = ofAccess;
        lostUsageLines = ofUsage;
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

    /** The requests that have ended. */
    public long endedExchanges() {
        return loops.stream()
                .flatMap(loop -> loop.exchangesByOutcome.values().stream())
                .mapToLong(AtomicLong::get)
                .sum();
    }

    /** The event streams that have ended. */
    public long endedStreams() {
        return loops.stream()
                .flatMap(loop -> loop.answers.streams.values().stream())
                .mapToLong(AtomicLong::get)
                .sum();
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
        return sum(loop -> loop.answers.streamsByUsage).getOrDefault(usage, 0L);
    }

    /** All metrics in the text exposition format 0.0.4. */
    public byte[] text() {
        return exposition(List.of(), false).body();
    }

    /**
     * All metrics.
     *
     * @param accept the fields that say which formats the client accepts; without one, it gets the text format 0.0.4
     * @param gzip whether to compress them
     */
    public Exposition exposition(List<String> accept, boolean gzip) {
        return Exposition.of(
                snapshots(), accept, gzip, loops.get(0).histograms().isNative());
    }

    /** What was measured of upstreams, for other exporters. */
    public Readings readings() {
        return Readings.of(loops);
    }

    /** The version of this build; empty if it was not told. */
    public String version() {
        String version = build.get("version");
        return version == null ? "" : version;
    }

    MetricSnapshots snapshots() {
        var all = new ArrayList<MetricSnapshot>();
        all.addAll(new UpstreamMetrics(upstreams.get()).snapshots());
        all.addAll(new ClientMetrics(loops).snapshots());
        all.addAll(new AnswerMetrics(each(loop -> loop.answers)).snapshots());
        all.addAll(new HistogramMetrics(each(LoopCounters::histograms)).snapshots());
        all.addAll(exchanges());
        all.addAll(state());
        all.addAll(reloads.snapshots());
        all.addAll(ProcessMetrics.snapshots());
        TlsServers servers = tls;
        if (servers != null && !servers.ends().isEmpty()) {
            all.addAll(new TlsMetrics(servers).snapshots());
        }
        SharedLimits shared = sharedLimits;
        if (shared != null) {
            all.addAll(new SharedLimitMetrics(shared).snapshots());
        }
        ReplayMetrics logs = kept;
        if (logs != null) {
            all.addAll(logs.snapshots());
        }
        return new MetricSnapshots(all);
    }

    private List<MetricSnapshot> exchanges() {
        return List.of(
                counter("millrace_exchanges", "Requests ended, by outcome.", by("outcome", l -> l.exchangesByOutcome)),
                counter(
                        "millrace_refused",
                        "Requests and connections that the relay refused or cut, by the code of the refusal.",
                        by("reason", l -> l.refusalsByReason)),
                counter("millrace_retries", "Attempts at the upstream that had failed.", retries()),
                counter("millrace_fallbacks", "Attempts at the next upstream.", total(l -> l.fallbacks)),
                counter("millrace_hedges", "Attempts beside another.", total(l -> l.hedges)),
                counter("millrace_heartbeats", "Heartbeats written to silent streams.", total(l -> l.heartbeats)),
                counter("millrace_own_answers_failed", "Answers of its own that the relay could not make.", failures()),
                counter(
                        "millrace_h2_goaway",
                        "HTTP/2 connections whose client was asked to leave, by why.",
                        by("reason", l -> l.goAwaysByReason)),
                counter(
                        "millrace_access_log_lines_lost",
                        "Lines of the access log that could not be written, or came faster than they were.",
                        lostLogLines.getAsLong()),
                counter(
                        "millrace_usage_log_lines_lost",
                        "Lines of the usage log that could not be written, or came faster than they were.",
                        lostUsageLines.getAsLong()));
    }

    private List<MetricSnapshot> state() {
        return List.of(
                InfoSnapshot.builder()
                        .name("millrace_build")
                        .help("The build that runs.")
                        .dataPoint(new InfoSnapshot.InfoDataPointSnapshot(build))
                        .build(),
                gauge("millrace_draining", "Whether the relay is about to stop.", draining.getAsBoolean() ? 1 : 0),
                gauge("millrace_active_exchanges", "Requests in progress.", activeExchanges()),
                gauge("millrace_open_streams", "Event streams in progress.", total(l -> l.streams)),
                gauge("millrace_open_connections", "Clients connected.", openConnections()),
                gauge(
                        "millrace_connections",
                        "Clients connected, by what they speak.",
                        by("protocol", l -> l.connectionsByProtocol)),
                gauge("millrace_held_bytes", "Bytes held, by what they are; buffers are outside of the heap.", held()),
                gauge("millrace_held_bytes_limit", "Bytes that may be held, by pool.", budgets()));
    }

    private <T> List<T> each(Function<LoopCounters, T> part) {
        return loops.stream().map(part).toList();
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
