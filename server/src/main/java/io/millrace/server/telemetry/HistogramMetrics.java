package io.millrace.server.telemetry;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.NativeHistogramBuckets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Metrics from the histograms of all event loops. */
record HistogramMetrics(List<LoopHistograms> loops) {
    List<MetricSnapshot> snapshots() {
        return List.of(
                byModel(
                        "millrace_time_to_first_token_seconds",
                        "From the end of the request to the first output that the kernel took for the client.",
                        its -> its.ttft),
                byModel(
                        "millrace_upstream_time_to_first_token_seconds",
                        "From the attempt that became the answer to its first output.",
                        its -> its.upstreamTtft),
                byUpstream(
                        "millrace_added_time_to_first_token_seconds",
                        "The part of the time to first token that is not the upstream's: failed attempts, waits, and the"
                                + " relay's own work.",
                        its -> its.added),
                byModel(
                        "millrace_longest_gap_seconds",
                        "The longest time of a stream between two reads that brought output.",
                        its -> its.longestGap),
                byUpstream(
                        "millrace_output_gap_seconds",
                        "The time between two output frames. Frames of one read have none.",
                        its -> its.gap),
                durations(),
                byUpstream(
                        "millrace_connect_seconds",
                        "The time to open a connection to an upstream, with its TLS handshake.",
                        its -> its.connect),
                single("millrace_request_size_bytes", "The size of request bodies.", its -> its.requestSize),
                single(
                        "millrace_event_loop_lag_seconds",
                        "How late an event loop that has streams ran its periodic task.",
                        its -> its.lag));
    }

    private MetricSnapshot byModel(
            String name, String help, Function<LoopHistograms.OfModel, Distribution> distribution) {
        var sums = new HashMap<Labels, Distribution.Sum>();
        loops.forEach(
                loop -> loop.byModel.forEach((served, its) -> add(sums, labels(served), distribution.apply(its))));
        return snapshot(name, help, sums);
    }

    private MetricSnapshot durations() {
        var sums = new HashMap<Labels, Distribution.Sum>();
        loops.forEach(loop -> loop.byModel.forEach((served, its) -> {
            add(sums, labels(served).merge(Labels.of("answer", "stream")), its.streamed);
            add(sums, labels(served).merge(Labels.of("answer", "whole")), its.whole);
        }));
        return snapshot(
                "millrace_exchange_duration_seconds",
                "From the first byte of a request that an upstream was asked to the end of its answer.",
                sums);
    }

    private MetricSnapshot byUpstream(
            String name, String help, Function<LoopHistograms.OfUpstream, Distribution> distribution) {
        var sums = new HashMap<Labels, Distribution.Sum>();
        loops.forEach(loop -> loop.byUpstream.forEach(
                (upstream, its) -> add(sums, Labels.of("upstream", upstream), distribution.apply(its))));
        return snapshot(name, help, sums);
    }

    private MetricSnapshot single(String name, String help, Function<LoopHistograms, Distribution> distribution) {
        var sums = new HashMap<Labels, Distribution.Sum>();
        loops.forEach(loop -> add(sums, Labels.EMPTY, distribution.apply(loop)));
        return snapshot(name, help, sums);
    }

    private static Labels labels(LoopHistograms.Served served) {
        return Labels.of("upstream", served.upstream(), "model", served.model());
    }

    /** Series without a value are left out. */
    private static void add(Map<Labels, Distribution.Sum> sums, Labels labels, Distribution distribution) {
        if (labels.isEmpty() || !distribution.isEmpty()) {
            sum(sums, labels, distribution);
        }
    }

    private static void sum(Map<Labels, Distribution.Sum> sums, Labels labels, Distribution distribution) {
        sums.computeIfAbsent(labels, key -> distribution.newSum()).add(distribution);
    }

    private static MetricSnapshot snapshot(String name, String help, Map<Labels, Distribution.Sum> sums) {
        var histogram = HistogramSnapshot.builder().name(name).help(help);
        sums.forEach((labels, sum) -> histogram.dataPoint(point(labels, sum)));
        return histogram.build();
    }

    private static HistogramDataPointSnapshot point(Labels labels, Distribution.Sum sum) {
        var point = HistogramDataPointSnapshot.builder()
                .labels(labels)
                .classicHistogramBuckets(ClassicHistogramBuckets.of(sum.uppers(), sum.counts()))
                .sum(sum.sum());
        long[] counts = sum.nativeCounts();
        if (counts != null) {
            NativeBuckets buckets = sum.nativeBuckets();
            var positive = NativeHistogramBuckets.builder();
            for (int cell = 1; cell < counts.length; cell++) {
                if (counts[cell] != 0) {
                    positive.bucket(buckets.index(cell), counts[cell]);
                }
            }
            point.nativeSchema(NativeBuckets.SCHEMA)
                    .nativeZeroThreshold(buckets.zeroThreshold())
                    .nativeZeroCount(counts[0])
                    .nativeBucketsForPositiveValues(positive.build());
        }
        return point.build();
    }
}
