package io.millrace.bench.stats;

import io.millrace.bench.stream.LoadShape;
import java.util.List;

/**
 * What was offered, completed and read during the measured part of a run, whichever stream it belongs to. The streams that
 * go on after that part add nothing, and their time does not count.
 *
 * @param seconds the length of the part
 * @param begun streams that began in it
 * @param completed streams that came to their end in it
 * @param good those of them that kept all limits
 * @param outputs frames with output that were read in it
 * @param tokensPerFrame output tokens for each output frame, on average over the streams that completed
 */
public record Throughput(double seconds, long begun, long completed, long good, long outputs, double tokensPerFrame) {
    private static final double NS_PER_S = 1e9;
    private static final int STEADY = 5;
    private static final double MOST_RAMP = 0.1;

    /**
     * The windows of all lanes together.
     *
     * @param wholeNs from the beginning of the measured part to the end of its last stream
     * @param stoppedNs from the beginning of the measured part to the moment at which the user ended the run
     */
    static Throughput of(LoadShape shape, List<Window> lanes, long wholeNs, long stoppedNs, double tokensPerFrame) {
        var sum = new Window.Counts();
        long lastBeginNs =
                lanes.stream().mapToLong(Window::untilLastBeginNs).max().orElse(0);
        boolean counted = shape.requests() != Long.MAX_VALUE;
        // Too few requests for a part in which all clients are busy: the whole run.
        boolean whole = counted && 2 * lastBeginNs < wholeNs;
        lanes.forEach(lane -> sum.add(counted && !whole ? lane.atLastBegin() : lane.counts()));
        long ns = whole ? wholeNs : counted ? lastBeginNs : Math.min(shape.durationNs(), stoppedNs);
        return new Throughput(
                Math.max(0, ns) / NS_PER_S, sum.begun, sum.completed, sum.good, sum.outputs, tokensPerFrame);
    }

    /** Of several runs, one after another. */
    static Throughput together(List<Throughput> parts) {
        double frames = parts.stream().mapToDouble(Throughput::outputs).sum();
        double tokens = parts.stream()
                .mapToDouble(part -> part.outputs * part.tokensPerFrame)
                .sum();
        return new Throughput(
                parts.stream().mapToDouble(Throughput::seconds).sum(),
                parts.stream().mapToLong(Throughput::begun).sum(),
                parts.stream().mapToLong(Throughput::completed).sum(),
                parts.stream().mapToLong(Throughput::good).sum(),
                parts.stream().mapToLong(Throughput::outputs).sum(),
                frames == 0 ? 1 : tokens / frames);
    }

    /** Streams that began, a second. */
    public double offeredPerSecond() {
        return perSecond(begun);
    }

    /** Streams that came to their end, a second. */
    public double requestsPerSecond() {
        return perSecond(completed);
    }

    /** Streams that came to their end within all limits, a second. */
    public double goodPerSecond() {
        return perSecond(good);
    }

    /** Output frames that were read, a second. */
    public double framesPerSecond() {
        return perSecond(outputs);
    }

    /** Output tokens that were read, a second: the frames times the tokens of a frame. */
    public double tokensPerSecond() {
        return framesPerSecond() * tokensPerFrame;
    }

    /**
     * Whether the part is so long beside a stream that its beginning and its end weigh little.
     *
     * @param streamSeconds how long a stream takes; NaN if none came to its end
     * @param leadSeconds how long there was load before the part
     */
    boolean isSteady(double streamSeconds, double leadSeconds) {
        return Double.isNaN(streamSeconds)
                || (seconds >= STEADY * streamSeconds && streamSeconds - leadSeconds <= MOST_RAMP * seconds);
    }

    private double perSecond(long count) {
        return seconds == 0 ? 0 : (double) count / seconds;
    }
}
