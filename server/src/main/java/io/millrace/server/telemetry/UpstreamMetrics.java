package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;
import static io.millrace.server.telemetry.Snapshots.gauge;

import io.millrace.server.balance.OriginState;
import io.millrace.server.balance.UpstreamState;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
                gauge("millrace_origin_in_flight", "Attempts in progress.", perOrigin(OriginState::inFlight)),
                gauge(
                        "millrace_origin_serving",
                        "Whether the origin takes requests: it is neither ejected nor down.",
                        perOrigin(origin -> origin.admits(nowNs) ? 1 : 0)));
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
