package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;

import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/** Metrics about the answers of all event loops. */
record AnswerMetrics(List<AnswerCounters> loops) {
    List<MetricSnapshot> snapshots() {
        return List.of(
                counter(
                        "millrace_streams",
                        "Event streams ended, by outcome.",
                        streams(kind -> Labels.of("outcome", kind.outcome()))),
                counter(
                        "millrace_upstream_streams",
                        "Event streams ended, by outcome and by where they came from.",
                        streams(AnswerMetrics::labels)),
                counter(
                        "millrace_stream_usage",
                        "Event streams ended, by whether their usage is that of the whole answer or of a part.",
                        by("usage", loop -> loop.streamsByUsage)),
                counter(
                        "millrace_responses",
                        "Requests ended that the relay did not answer by itself, by the class of the status.",
                        by("status", loop -> loop.byStatus)),
                counter("millrace_frames", "Event stream frames relayed.", total(loop -> loop.frames)),
                counter("millrace_response_bytes", "Response body bytes relayed.", total(loop -> loop.bytes)),
                counter(
                        "millrace_dropped_fields",
                        "Parts of requests that were left out because the upstream's dialect has no place for them.",
                        total(loop -> loop.droppedFields)),
                counter("millrace_tokens", "Tokens that upstreams reported, by model and direction.", tokens()),
                counter(
                        "millrace_token_details",
                        "Tokens that upstreams reported as cached, written to a cache, or spent on reasoning.",
                        details()));
    }

    private Map<Labels, Long> by(String label, Function<AnswerCounters, Map<String, AtomicLong>> counts) {
        var points = new HashMap<Labels, Long>();
        loops.forEach(loop -> counts.apply(loop)
                .forEach((value, count) -> points.merge(Labels.of(label, value), count.get(), Long::sum)));
        return points;
    }

    private Map<Labels, Long> streams(Function<AnswerCounters.Kind, Labels> labels) {
        var points = new HashMap<Labels, Long>();
        loops.forEach(loop ->
                loop.streams.forEach((kind, count) -> points.merge(labels.apply(kind), count.get(), Long::sum)));
        return points;
    }

    private static Labels labels(AnswerCounters.Kind kind) {
        return Labels.of(
                "outcome",
                kind.outcome(),
                "upstream",
                kind.upstream(),
                "dialect",
                kind.dialect(),
                "route",
                kind.route(),
                "model",
                kind.model());
    }

    private long total(Function<AnswerCounters, AtomicLong> count) {
        return loops.stream().mapToLong(loop -> count.apply(loop).get()).sum();
    }

    private Map<Labels, Long> tokens() {
        var points = new HashMap<Labels, Long>();
        loops.forEach(loop -> loop.tokens.forEach((served, tokens) -> {
            String model = served.model();
            points.merge(Labels.of("model", model, "direction", "input"), tokens.input.get(), Long::sum);
            points.merge(Labels.of("model", model, "direction", "output"), tokens.output.get(), Long::sum);
        }));
        return points;
    }

    private Map<Labels, Long> details() {
        var points = new HashMap<Labels, Long>();
        loops.forEach(loop -> loop.tokens.forEach((served, tokens) -> {
            String model = served.model();
            points.merge(Labels.of("model", model, "kind", "cached"), tokens.cached.get(), Long::sum);
            points.merge(Labels.of("model", model, "kind", "cache_written"), tokens.cacheWritten.get(), Long::sum);
            points.merge(Labels.of("model", model, "kind", "reasoning"), tokens.reasoning.get(), Long::sum);
        }));
        return points;
    }
}
