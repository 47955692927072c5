package io.millrace.server.telemetry;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.Map;

/** Makes snapshots of metrics, each with a value for each set of labels. */
final class Snapshots {
    private Snapshots() {}

    static MetricSnapshot counter(String name, String help, Map<Labels, ? extends Number> values) {
        var counter = CounterSnapshot.builder().name(name).help(help);
        values.forEach((labels, value) ->
                counter.dataPoint(new CounterDataPointSnapshot(value.doubleValue(), labels, null, 0)));
        return counter.build();
    }

    static MetricSnapshot counter(String name, String help, long value) {
        return counter(name, help, Map.of(Labels.EMPTY, value));
    }

    static MetricSnapshot gauge(String name, String help, Map<Labels, ? extends Number> values) {
        var gauge = GaugeSnapshot.builder().name(name).help(help);
        values.forEach(
                (labels, value) -> gauge.dataPoint(new GaugeDataPointSnapshot(value.doubleValue(), labels, null)));
        return gauge.build();
    }

    static MetricSnapshot gauge(String name, String help, long value) {
        return gauge(name, help, Map.of(Labels.EMPTY, value));
    }
}
