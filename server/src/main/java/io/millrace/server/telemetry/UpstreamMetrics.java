package io.millrace.server.telemetry;

import io.millrace.server.balance.OriginState;
import io.millrace.server.balance.UpstreamState;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What is known of upstreams and their origins, as metrics. Counts begin anew when a reload changes an upstream.
 *
 * @param upstreams by name
 */
record UpstreamMetrics(Map<String, UpstreamState> upstreams) {
    UpstreamMetrics {
        upstreams = Map.copyOf(upstreams);
    }

    List<MetricSnapshot> snapshots() {
        long nowNs = System.nanoTime();
        return List.of(
                perUpstream(
                        "millrace_upstream_retries", "Attempts that were made again at the same upstream.", upstream ->
                                (double) upstream.retries().retries()),
                perUpstream(
                        "millrace_upstream_retries_refused",
                        "Attempts that were not made again for want of retry budget.",
                        upstream -> (double) upstream.retries().refused()),
                ejections(),
                perOrigin("millrace_origin_in_flight", "Attempts in progress.", OriginState::inFlight),
                perOrigin(
                        "millrace_origin_serving",
                        "Whether the origin takes requests: it is neither ejected nor down.",
                        origin -> origin.admits(nowNs) ? 1 : 0));
    }

    private CounterSnapshot perUpstream(String name, String help, ToDoubleFunction<UpstreamState> value) {
        var snapshot = CounterSnapshot.builder().name(name).help(help);
        upstreams.forEach((upstream, state) -> snapshot.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                .labels(Labels.of("upstream", upstream))
                .value(value.applyAsDouble(state))
                .build()));
        return snapshot.build();
    }

    private CounterSnapshot ejections() {
        var snapshot =
                CounterSnapshot.builder().name("millrace_origin_ejections").help("How often the origin was ejected.");
        upstreams.forEach((upstream, state) -> state.origins()
                .forEach(origin -> snapshot.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                        .labels(labels(upstream, origin))
                        .value((double) origin.ejections())
                        .build())));
        return snapshot.build();
    }

    private GaugeSnapshot perOrigin(String name, String help, ToDoubleFunction<OriginState> value) {
        var snapshot = GaugeSnapshot.builder().name(name).help(help);
        upstreams.forEach((upstream, state) -> state.origins()
                .forEach(origin -> snapshot.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                        .labels(labels(upstream, origin))
                        .value(value.applyAsDouble(origin))
                        .build())));
        return snapshot.build();
    }

    private static Labels labels(String upstream, OriginState origin) {
        return Labels.of("upstream", upstream, "origin", origin.name());
    }
}
