package io.millrace.bench.stats;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.stats.Recorder.Tally;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.StreamSample;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** The result of a run: the measured streams of all lanes together. */
public final class RunResult {
    private final LoadShape shape;
    private final Instant begun;
    private final @Nullable Slo slo;
    private final double seconds;
    private final Throughput throughput;
    private final Map<Metric, Distribution> distributions;
    private final Map<String, Long> errors = new TreeMap<>();
    private final Map<Integer, String> refusals = new TreeMap<>();
    private final List<StreamSample> samples = new ArrayList<>();
    private final Tally tally = new Tally();
    private final Breakdown byTurn = new Breakdown(Breakdown.TURNS);
    private final Breakdown byPrompt = new Breakdown(Breakdown.PROMPTS);
    private final Series series;
    private final Vitals vitals;
    private final Verdict verdict;
    private final int stale;
    private final boolean interrupted;
    private final double measuredFromSeconds;
    private final boolean merged;

    /**
     * When a run began.
     *
     * @param at the moment as date and time
     * @param baseNs the same moment on the clock of {@link System#nanoTime()}
     * @param windowNs when its measured part began, on that clock
     * @param stoppedNs when the user ended it, on that clock; at its end if nobody did
     * @param interrupted whether the user ended it
     */
    record Beginning(Instant at, long baseNs, long windowNs, long stoppedNs, boolean interrupted) {}

    /**
     * @param recorders the recorders of all lanes, which have ended
     * @param stale how many requests had to be sent again
     */
    RunResult(
            LoadShape shape,
            Beginning beginning,
            @Nullable Slo slo,
            List<Recorder> recorders,
            Vitals vitals,
            int stale) {
        this.shape = shape;
        begun = beginning.at;
        this.slo = slo;
        this.vitals = vitals;
        this.stale = stale;
        series = new Series(beginning.baseNs);
        distributions = sums(metric -> recorders.stream()
                .map(recorder -> recorder.histograms.get(metric))
                .toList());
        for (var recorder : recorders) {
            recorder.errors.forEach((what, count) -> errors.merge(what, count, Long::sum));
            recorder.refusals.forEach(refusals::putIfAbsent);
            samples.addAll(recorder.samples);
            tally.add(recorder.tally);
            byTurn.add(recorder.byTurn);
            byPrompt.add(recorder.byPrompt);
            series.add(recorder.series);
        }
        seconds = tally.begun == 0 ? 0 : Math.max(1e-9, (tally.lastEndNs - beginning.windowNs) / 1e9);
        double tokensPerFrame = tally.completedOutputs == 0 ? 1 : (double) tally.outputTokens / tally.completedOutputs;
        throughput = Throughput.of(
                shape,
                recorders.stream().map(recorder -> recorder.window).toList(),
                Math.round(seconds * 1e9),
                beginning.stoppedNs - beginning.windowNs,
                tokensPerFrame);
        interrupted = beginning.interrupted;
        measuredFromSeconds = (beginning.windowNs - beginning.baseNs) / 1e9;
        merged = false;
        verdict = Judge.judge(distributions, vitals);
    }

    private RunResult(List<RunResult> parts) {
        var first = parts.get(0);
        shape = first.shape;
        begun = first.begun;
        slo = first.slo;
        series = first.series;
        distributions = sums(metric ->
                parts.stream().map(part -> part.of(metric).histogram()).toList());
        for (var part : parts) {
            part.errors.forEach((what, count) -> errors.merge(what, count, Long::sum));
            part.refusals.forEach(refusals::putIfAbsent);
            samples.addAll(part.samples);
            tally.add(part.tally);
            byTurn.add(part.byTurn);
            byPrompt.add(part.byPrompt);
        }
        seconds = parts.stream().mapToDouble(RunResult::seconds).sum();
        throughput =
                Throughput.together(parts.stream().map(RunResult::throughput).toList());
        measuredFromSeconds = first.measuredFromSeconds;
        merged = parts.size() > 1;
        interrupted = parts.stream().anyMatch(RunResult::isInterrupted);
        stale = parts.stream().mapToInt(RunResult::stale).sum();
        vitals = Vitals.together(parts.stream().map(RunResult::vitals).toList());
        verdict = Judge.judge(distributions, vitals);
    }

    /** Merges several runs of one load. The series over time is that of the first run. */
    public static RunResult merged(List<RunResult> parts) {
        return new RunResult(parts);
    }

    private static Map<Metric, Distribution> sums(Function<Metric, List<Histogram>> parts) {
        var sums = new EnumMap<Metric, Distribution>(Metric.class);
        for (var metric : Metric.values()) {
            var sum = new Histogram(3);
            parts.apply(metric).forEach(sum::add);
            sums.put(metric, new Distribution(metric.unit(), sum));
        }
        return sums;
    }

    /** The load. */
    public LoadShape shape() {
        return shape;
    }

    /** When it began. */
    public Instant begunAt() {
        return begun;
    }

    /** The limits of a good stream; null if there are none. */
    public @Nullable Slo slo() {
        return slo;
    }

    /** From the beginning of the measured part to the end of its last stream, in seconds; vLLM's duration. */
    public double seconds() {
        return seconds;
    }

    /** The values of a metric. */
    public Distribution of(Metric metric) {
        return requireNonNull(distributions.get(metric));
    }

    /** The number of measured streams. */
    public long streams() {
        return tally.begun;
    }

    /** The streams that completed. */
    public long completed() {
        return tally.completed;
    }

    /** The streams that this client left on purpose. */
    public long left() {
        return tally.left;
    }

    /** The streams that this client cut because the user ended the run. */
    public long interrupted() {
        return tally.interrupted;
    }

    /** The streams that failed. */
    public long failed() {
        return tally.failed;
    }

    /** The share of the streams that failed. */
    public double errorRate() {
        return tally.begun == 0 ? 0 : (double) tally.failed / tally.begun;
    }

    /** The streams that kept all limits. */
    public long good() {
        return tally.good;
    }

    /** The streams whose clients cancelled, read slowly or fell silent. Their times are in no distribution. */
    public long behaved() {
        return tally.behaved;
    }

    /** The sessions that ended in the measured part; 0 if the streams were not turns of sessions. */
    public long sessions() {
        return tally.sessions;
    }

    /** The sessions of them whose turns all came to their end. */
    public long wholeSessions() {
        return tally.wholeSessions;
    }

    /** The streams that sent the result of a tool. */
    public long toolTurns() {
        return tally.toolTurns;
    }

    /** The times to first token by the turn of the session. */
    public Breakdown byTurn() {
        return byTurn;
    }

    /** The times to first token by the length of the prompt, of streams of sessions. */
    public Breakdown byPrompt() {
        return byPrompt;
    }

    /** Tokens of the prompts, as the providers reported them. */
    public long inputTokens() {
        return tally.inputTokens;
    }

    /** Tokens of the completed answers. */
    public long outputTokens() {
        return tally.outputTokens;
    }

    /** The source of the number of tokens: {@code usage}, {@code frames}, or {@code mixed}. */
    public String tokenSource() {
        return tally.withUsage == 0 ? "frames" : tally.withUsage == tally.completed ? "usage" : "mixed";
    }

    /** Frames of every kind. */
    public long frames() {
        return tally.frames;
    }

    /** Frames with output. */
    public long outputs() {
        return tally.outputs;
    }

    /** Bytes of the bodies. */
    public long bytes() {
        return tally.bytes;
    }

    /** Gaps over the stall threshold. */
    public long stalls() {
        return tally.stalls;
    }

    /** Streams with a gap over the stall threshold. */
    public long stalled() {
        return tally.stalled;
    }

    /** Streams with the mock's stamps. */
    public long stamped() {
        return tally.stamped;
    }

    /** Requests that were sent again because the server had closed the idle connection. */
    public int stale() {
        return stale;
    }

    /** How often each error happened. */
    public Map<String, Long> errors() {
        return Collections.unmodifiableMap(errors);
    }

    /** For each status other than 200, the text of one response. */
    public Map<Integer, String> refusals() {
        return Collections.unmodifiableMap(refusals);
    }

    /** Some of the measured streams, chosen evenly; all of them if they are few. */
    public List<StreamSample> samples() {
        return Collections.unmodifiableList(samples);
    }

    /** The counts over time. */
    public Series series() {
        return series;
    }

    /** The state of the client during the run. */
    public Vitals vitals() {
        return vitals;
    }

    /** Whether the client was fit to measure. */
    public Verdict verdict() {
        return verdict;
    }

    /** What was offered, completed and read in the measured part. */
    public Throughput throughput() {
        return throughput;
    }

    /** Whether the measured part and the time before it are so long beside a stream that the throughput is steady. */
    public boolean isSteady() {
        return throughput.isSteady(of(Metric.E2E).percentile(50) / 1e3, shape.leadNs() / 1e9);
    }

    /** When the measured part began, in seconds on the clock of {@link #series}. */
    public double measuredFromSeconds() {
        return measuredFromSeconds;
    }

    /** Whether it is of several runs; then its series over time is that of the first. */
    public boolean isMerged() {
        return merged;
    }

    /** How long the measured part was, in seconds: less than planned if the user ended the run. */
    public double measuredSeconds() {
        return throughput.seconds();
    }

    /** Whether the user ended it before its time. */
    public boolean isInterrupted() {
        return interrupted;
    }

    /** Output frames per read that brought any. It is 1 if no server on the path holds frames together. */
    public double coalescing() {
        return of(Metric.FRAMES_PER_READ).mean();
    }
}
