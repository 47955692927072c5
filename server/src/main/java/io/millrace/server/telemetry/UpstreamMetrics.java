package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;
import static io.millrace.server.telemetry.Snapshots.gauge;

import io.millrace.server.balance.AttemptCounts;
import io.millrace.server.balance.OriginState;
import io.millrace.server.balance.UpstreamState;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;

/**
 * Metrics about upstreams and their origins. Counts begin anew when a reload changes an upstream.
 *
 * @param upstreams by name
 */
record UpstreamMetrics(Map<String, UpstreamState> upstreams) {
    List<MetricSnapshot> snapshots() {
        long nowNs = System.nanoTime();
        return List.of(
                counter(
                        "millrace_upstream_retries",
                        "Attempts that were made again at the same upstream.",
                        perUpstream(upstream -> upstream.retries().retries())),
                counter(
                        "millrace_upstream_retries_refused",
                        "Attempts that were not made again for want of retry budget.",
                        perUpstream(upstream -> upstream.retries().refused())),
                counter(
                        "millrace_origin_ejections",
                        "How often the origin was ejected.",
                        perOrigin(OriginState::ejections)),
                counter(
                        "millrace_origin_attempts",
                        "Attempts begun, by why they were made: first, retry, fallback or hedge.",
                        attempts()),
                counter("millrace_origin_failures", "Attempts that failed, by reason.", failures()),
                gauge("millrace_origin_in_flight", "Attempts in progress.", perOrigin(OriginState::inFlight)),
                gauge(
                        "millrace_origin_serving",
                        "Whether the origin takes requests: it is neither ejected nor down.",
                        perOrigin(origin -> origin.admits(nowNs) ? 1 : 0)));
    }

    private Map<Labels, Long> attempts() {
        var points = new HashMap<Labels, Long>();
        onEachOrigin((labels, counts) -> {
            for (AttemptCounts.Kind kind : AttemptCounts.Kind.values()) {
                Labels of = labels.merge(Labels.of("kind", kind.name().toLowerCase(Locale.ROOT)));
                points.put(of, counts.begun(kind));
            }
        });
        return points;
    }

    private Map<Labels, Long> failures() {
        var points = new HashMap<Labels, Long>();
        onEachOrigin((labels, counts) -> counts.failures()
                .forEach((reason, count) -> points.put(labels.merge(Labels.of("reason", reason)), count)));
        return points;
    }

    private void onEachOrigin(BiConsumer<Labels, AttemptCounts> action) {
        upstreams.forEach((name, state) -> state.origins()
                .forEach(origin ->
                        action.accept(Labels.of("upstream", name, "origin", origin.name()), state.attempts(origin))));
    }

    private Map<Labels, Long> perUpstream(ToLongFunction<UpstreamState> value) {
        var points = new HashMap<Labels, Long>();
        upstreams.forEach((name, state) -> points.put(Labels.of("upstream", name), value.applyAsLong(state)));
        return points;
    }

    private Map<Labels, Long> perOrigin(ToLongFunction<OriginState> value) {
        var points = new HashMap<Labels, Long>();
        upstreams.forEach((name, state) -> state.origins()
                .forEach(origin ->
                        points.put(Labels.of("upstream", name, "origin", origin.name()), value.applyAsLong(origin))));
        return points;
    }
}
