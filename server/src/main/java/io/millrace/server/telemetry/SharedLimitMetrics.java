package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;
import static io.millrace.server.telemetry.Snapshots.gauge;

import io.millrace.server.limit.SharedLimits;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.List;
import java.util.Map;

/** Metrics about limits that nodes share. */
record SharedLimitMetrics(SharedLimits limits) {
    List<MetricSnapshot> snapshots() {
        return List.of(
                gauge(
                        "millrace_shared_limits_up",
                        "Whether limits of clients are shared at the moment; 0 while the store is down.",
                        limits.isUp() ? 1 : 0),
                gauge("millrace_shared_limits_nodes", "Nodes that share limits, as last known.", limits.nodes()),
                counter("millrace_shared_limits_losses", "How often the store was lost.", limits.losses()),
                counter(
                        "millrace_shared_limits_exchanges",
                        "How often the store was told what clients used, by whether it took that.",
                        Map.of(
                                Labels.of("result", "taken"), limits.told(true),
                                Labels.of("result", "refused"), limits.told(false))));
    }
}
