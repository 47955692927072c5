package io.millrace.server.telemetry;

import io.millrace.server.telemetry.LoopHistograms.OfModel;
import io.millrace.server.telemetry.LoopHistograms.Served;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the event loops have measured of upstreams until one moment, for exporters beside that of Prometheus. It is read
 * from the same cells.
 */
public record Readings(List<Times> times, List<Tokens> tokens) {
    /** What was measured. */
    public enum Kind {
        /** The whole exchange, of requests that name a model. */
        DURATION,
        /** From the attempt that became the answer to its first output. */
        FIRST_OUTPUT,
        /** Between two output frames. */
        OUTPUT_GAP
    }

    /**
     * A histogram in seconds.
     *
     * @param model null if the times of all models are together
     * @param bounds the upper bounds of the buckets without the last bucket, which has none
     * @param counts of all buckets
     */
    public record Times(
            Kind kind, String upstream, @Nullable String model, List<Double> bounds, List<Long> counts, double sum) {}

    /**
     * Tokens that an upstream has reported.
     *
     * @param input those of prompts, with those that were read from a cache or written to it
     * @param output those of answers, with those for reasoning
     */
    public record Tokens(
            String upstream, String model, long input, long output, long cached, long cacheWritten, long reasoning) {}

    static Readings of(List<LoopCounters> loops) {
        return new Readings(times(loops), tokens(loops));
    }

    private static List<Times> times(List<LoopCounters> loops) {
        var durations = new HashMap<Served, Distribution.Sum>();
        var firsts = new HashMap<Served, Distribution.Sum>();
        var gaps = new HashMap<String, Distribution.Sum>();
        for (LoopCounters loop : loops) {
            loop.histograms().byModel.forEach((served, its) -> add(served, its, durations, firsts));
            loop.histograms().byUpstream.forEach((upstream, its) -> add(gaps, upstream, its.gap));
        }
        var times = new ArrayList<Times>();
        durations.forEach((served, sum) -> times.add(times(Kind.DURATION, served.upstream(), served.model(), sum)));
        firsts.forEach((served, sum) -> times.add(times(Kind.FIRST_OUTPUT, served.upstream(), served.model(), sum)));
        gaps.forEach((upstream, sum) -> times.add(times(Kind.OUTPUT_GAP, upstream, null, sum)));
        return times;
    }

    private static void add(
            Served served, OfModel its, Map<Served, Distribution.Sum> durations, Map<Served, Distribution.Sum> firsts) {
        add(firsts, served, its.upstreamTtft);
        if (!served.model().equals(AnswerCounters.UNKNOWN)) {
            add(durations, served, its.streamed);
            add(durations, served, its.whole);
        }
    }

    private static <K> void add(Map<K, Distribution.Sum> sums, K key, Distribution distribution) {
        if (!distribution.isEmpty()) {
            sums.computeIfAbsent(key, name -> distribution.newSum()).add(distribution);
        }
    }

    private static Times times(Kind kind, String upstream, @Nullable String model, Distribution.Sum sum) {
        var bounds = new ArrayList<Double>();
        for (double upper : sum.uppers()) {
            if (upper != Double.POSITIVE_INFINITY) {
                bounds.add(upper);
            }
        }
        var counts = new ArrayList<Long>();
        for (long count : sum.counts()) {
            counts.add(count);
        }
        return new Times(kind, upstream, model, bounds, counts, sum.sum());
    }

    private static List<Tokens> tokens(List<LoopCounters> loops) {
        var sums = new HashMap<Served, Tokens>();
        for (LoopCounters loop : loops) {
            loop.answers.tokens.forEach((served, cells) -> sums.merge(served, tokens(served, cells), Readings::sum));
        }
        return List.copyOf(sums.values());
    }

    private static Tokens tokens(Served served, AnswerCounters.Tokens cells) {
        return new Tokens(
                served.upstream(),
                served.model(),
                cells.input.get() + cells.besideInput.get(),
                cells.output.get(),
                cells.cached.get(),
                cells.cacheWritten.get(),
                cells.reasoning.get());
    }

    private static Tokens sum(Tokens one, Tokens other) {
        return new Tokens(
                one.upstream,
                one.model,
                one.input + other.input,
                one.output + other.output,
                one.cached + other.cached,
                one.cacheWritten + other.cacheWritten,
                one.reasoning + other.reasoning);
    }
}
