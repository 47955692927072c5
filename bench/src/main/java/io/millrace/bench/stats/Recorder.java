package io.millrace.bench.stats;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.Outcome;
import io.millrace.bench.stream.StreamDetails;
import io.millrace.bench.stream.StreamObserver;
import io.millrace.bench.stream.StreamSample;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** Counts the streams of one lane. It lives on one event loop. Its memory does not grow during the run. */
public final class Recorder implements StreamObserver {
    private static final int DIGITS = 3;
    private static final long LONGEST_NS = TimeUnit.HOURS.toNanos(2);
    private static final int MAX_ERRORS = 50;
    private static final int MAX_SAMPLES = 2000;
    /** A longer transit means that the stamp is from the clock of another machine. */
    private static final long MOST_TRANSIT_NS = TimeUnit.HOURS.toNanos(1);

    final Map<Metric, Histogram> histograms = new EnumMap<>(Metric.class);
    final Map<String, Long> errors = new TreeMap<>();
    final Map<Integer, String> refusals = new TreeMap<>();
    final List<StreamSample> samples = new ArrayList<>();
    final Tally tally = new Tally();
    final Series series;
    final Window window;
    final Breakdown byTurn = new Breakdown(Breakdown.TURNS);
    final Breakdown byPrompt = new Breakdown(Breakdown.PROMPTS);
    private final @Nullable Slo slo;
    private final @Nullable Consumer<StreamSample> sink;
    private final SplittableRandom random = new SplittableRandom(1);
    private Progress progress = new Progress();
    private long sampled;

    /** Sums over the counted streams. */
    static final class Tally {
        long begun;
        long completed;
        long left;
        long failed;
        long interrupted;
        long good;
        long inputTokens;
        long outputTokens;
        long completedOutputs;
        long withUsage;
        long frames;
        long outputs;
        long bytes;
        long stalls;
        long stalled;
        long stamped;
        long behaved;
        long sessions;
        long wholeSessions;
        long toolTurns;
        long lastEndNs = Long.MIN_VALUE;

        void add(Tally other) {
            begun += other.begun;
            completed += other.completed;
            left += other.left;
            failed += other.failed;
            interrupted += other.interrupted;
            good += other.good;
            inputTokens += other.inputTokens;
            outputTokens += other.outputTokens;
            completedOutputs += other.completedOutputs;
            withUsage += other.withUsage;
            frames += other.frames;
            outputs += other.outputs;
            bytes += other.bytes;
            stalls += other.stalls;
            stalled += other.stalled;
            stamped += other.stamped;
            behaved += other.behaved;
            sessions += other.sessions;
            wholeSessions += other.wholeSessions;
            toolTurns += other.toolTurns;
            lastEndNs = Math.max(lastEndNs, other.lastEndNs);
        }
    }

    /**
     * @param shape the load
     * @param baseNs the approximate start of the run, the same for all lanes
     * @param slo the limits of a good stream, null for none
     * @param sink receives every measured stream on the event loop and must not block; may be null
     */
    public Recorder(LoadShape shape, long baseNs, @Nullable Slo slo, @Nullable Consumer<StreamSample> sink) {
        this.slo = slo;
        this.sink = sink;
        series = new Series(baseNs);
        window = new Window(shape);
        for (var metric : Metric.values()) {
            histograms.put(metric, new Histogram(DIGITS));
        }
    }

    /** The counts since the last call. */
    public Progress takeProgress() {
        var taken = progress;
        progress = new Progress();
        return taken;
    }

    @Override
    public void onStart(long measuredFromNs) {
        window.start(measuredFromNs);
    }

    @Override
    public void onDispatch(long scheduledNs, long nowNs, boolean counts) {
        window.onBegin(nowNs);
        series.onBegin(nowNs);
        progress.begun++;
        if (counts) {
            record(Metric.DISPATCH_LAG, nowNs - scheduledNs);
        }
    }

    @Override
    public void onPlace(long waitNs, boolean counts) {
        if (counts) {
            record(Metric.PLACE_WAIT, waitNs);
        }
    }

    @Override
    public void onFirstOutput(long scheduledNs, long nowNs) {
        series.onOutput(nowNs);
        window.onOutput(nowNs);
        series.onFirst(nowNs, nowNs - scheduledNs);
        progress.outputs++;
        progress.ttft.recordValue(bounded(nowNs - scheduledNs));
    }

    @Override
    public void onGap(long gapNs, long nowNs) {
        series.onOutput(nowNs);
        window.onOutput(nowNs);
        progress.outputs++;
        progress.gap.recordValue(bounded(gapNs));
    }

    @Override
    public void onLoopLag(long lagNs) {
        record(Metric.LOOP_LAG, lagNs);
    }

    @Override
    public void onRefusal(int status, String body) {
        if (refusals.size() < MAX_ERRORS) {
            refusals.putIfAbsent(status, body);
        }
    }

    @Override
    public void onEnd(StreamSample sample, StreamDetails details) {
        boolean error = sample.outcome().isError();
        series.onEnd(sample.endNs(), error);
        if (error) {
            progress.failed++;
        } else {
            progress.ended++;
        }
        boolean good = slo != null && slo.isMetBy(sample);
        if (sample.outcome() == Outcome.COMPLETED) {
            window.onCompleted(sample.endNs(), good);
        }
        if (!sample.measured()) {
            return;
        }
        count(sample, good);
        if (sample.counts() && !error && sample.outcome() != Outcome.INTERRUPTED) {
            recordTimes(sample);
            recordDetails(details);
        }
        keep(sample);
        if (sink != null) {
            sink.accept(sample);
        }
    }

    @Override
    public void onSessionEnd(boolean measured, boolean whole) {
        if (measured) {
            tally.sessions++;
            tally.wholeSessions += whole ? 1 : 0;
        }
    }

    private void count(StreamSample sample, boolean good) {
        tally.begun++;
        tally.lastEndNs = Math.max(tally.lastEndNs, sample.endNs());
        tally.frames += sample.frames();
        tally.outputs += sample.outputs();
        tally.bytes += sample.bytes();
        tally.stalls += sample.stalls();
        tally.stalled += sample.stalls() > 0 ? 1 : 0;
        tally.stamped += sample.stamped() ? 1 : 0;
        tally.toolTurns += sample.isToolTurn() ? 1 : 0;
        tally.behaved += sample.behaviour().isPlain() ? 0 : 1;
        if (sample.outcome() == Outcome.COMPLETED) {
            tally.completed++;
            tally.inputTokens += Math.max(0, sample.inputTokens());
            tally.outputTokens += sample.tokens();
            tally.withUsage += sample.outputTokens() >= 0 ? 1 : 0;
            tally.good += good ? 1 : 0;
            tally.completedOutputs += sample.outputs();
        } else if (sample.outcome() == Outcome.LEFT) {
            tally.left++;
        } else if (sample.outcome() == Outcome.INTERRUPTED) {
            tally.interrupted++;
        } else {
            tally.failed++;
            String what = sample.outcome().label() + (sample.detail().isEmpty() ? "" : ": " + sample.detail());
            boolean known = errors.containsKey(what) || errors.size() < MAX_ERRORS;
            errors.merge(known ? what : "others", 1L, Long::sum);
        }
    }

    private void recordTimes(StreamSample sample) {
        since(Metric.FIRST_BYTE, sample, sample.firstByteNs());
        since(Metric.FIRST_FRAME, sample, sample.firstFrameNs());
        since(Metric.FIRST_REASONING, sample, sample.firstReasoningNs());
        since(Metric.FIRST_CONTENT, sample, sample.firstContentNs());
        since(Metric.TTFT, sample, sample.firstOutputNs());
        since(Metric.E2E, sample, sample.endNs());
        if (sample.outputs() > 0) {
            record(Metric.TTFT_SENT, sample.firstOutputNs() - sample.sentNs());
        }
        if (sample.outputs() > 0 && sample.turn() >= 0) {
            long ttftNs = bounded(sample.firstOutputNs() - sample.scheduledNs());
            byTurn.add(sample.turn() + 1, sample.promptTokens(), ttftNs);
            byPrompt.add(sample.promptTokens(), sample.promptTokens(), ttftNs);
        }
        if (sample.outputs() > 1) {
            record(Metric.LONGEST_GAP, sample.longestGapNs());
        }
        if (sample.connectNs() >= 0) {
            record(Metric.CONNECT, sample.connectNs());
        }
        double tpotNs = sample.tpotNs();
        if (!Double.isNaN(tpotNs)) {
            record(Metric.TPOT, Math.round(tpotNs));
        }
        if (tpotNs > 0) {
            record(Metric.STREAM_RATE, Math.round(1000 * 1e9 / tpotNs));
        }
        if (sample.outputTokens() >= 0 && sample.outputs() > 0) {
            record(Metric.TOKENS_PER_FRAME, Math.round(1000.0 * sample.outputTokens() / sample.outputs()));
        }
    }

    private void recordDetails(StreamDetails details) {
        details.forEachGap(gapNs -> record(Metric.ITL, gapNs));
        details.forEachRead(outputs -> record(Metric.FRAMES_PER_READ, outputs * 1000L));
        details.forEachTransit(transitNs -> {
            if (transitNs >= 0 && transitNs < MOST_TRANSIT_NS) {
                record(Metric.TRANSIT, transitNs);
            }
        });
    }

    private void since(Metric metric, StreamSample sample, long whenNs) {
        if (whenNs != 0) {
            record(metric, whenNs - sample.scheduledNs());
        }
    }

    // Each stream so far is equally likely to be kept (J. S. Vitter, algorithm R).
    private void keep(StreamSample sample) {
        sampled++;
        if (samples.size() < MAX_SAMPLES) {
            samples.add(sample);
        } else {
            long at = random.nextLong(sampled);
            if (at < MAX_SAMPLES) {
                samples.set((int) at, sample);
            }
        }
    }

    private void record(Metric metric, long value) {
        requireNonNull(histograms.get(metric)).recordValue(bounded(value));
    }

    private static long bounded(long value) {
        return Math.max(0, Math.min(LONGEST_NS, value));
    }
}
