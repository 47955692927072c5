package io.millrace.server.telemetry.otlp;

import io.millrace.server.config.Upstream;
import io.millrace.server.telemetry.Readings;
import io.millrace.server.telemetry.Readings.Kind;
import io.millrace.server.telemetry.otlp.Names.TokenCounter;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.Data;
import io.opentelemetry.sdk.metrics.data.HistogramData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.metrics.data.SumData;
import io.opentelemetry.sdk.resources.Resource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Metrics as the collector takes them, made from the cells of the event loops.
 *
 * @param startNs when the cells were zero, in nanoseconds since 1970
 * @param upstreams those that are configured, by name
 */
record GenAiMetrics(Resource resource, InstrumentationScopeInfo scope, long startNs, Map<String, Upstream> upstreams) {
    private static final AggregationTemporality SINCE_START = AggregationTemporality.CUMULATIVE;

    /** A metric with its points. */
    private record Metric(
            Resource resource,
            InstrumentationScopeInfo scope,
            String name,
            String help,
            String unit,
            MetricDataType type,
            Data<?> data)
            implements MetricData {
        @Override
        public Resource getResource() {
            return resource;
        }

        @Override
        public InstrumentationScopeInfo getInstrumentationScopeInfo() {
            return scope;
        }

        @Override
        public String getName() {
            return name;
        }

        @Override
        public String getDescription() {
            return help;
        }

        @Override
        public String getUnit() {
            return unit;
        }

        @Override
        public MetricDataType getType() {
            return type;
        }

        @Override
        public Data<?> getData() {
            return data;
        }
    }

    /** The metrics with at least one point; {@code nowNs} in nanoseconds since 1970. */
    List<MetricData> of(Readings readings, long nowNs) {
        var all = new ArrayList<MetricData>();
        String duration = "From the first byte of the request to the end of the answer.";
        all.add(histogram(Names.DURATION, duration, readings, Kind.DURATION, nowNs));
        String first = "From the attempt that became the answer to its first output.";
        all.add(histogram(Names.FIRST_CHUNK, first, readings, Kind.FIRST_OUTPUT, nowNs));
        all.add(histogram(Names.OUTPUT_CHUNK, "The time between two output frames.", readings, Kind.OUTPUT_GAP, nowNs));
        for (TokenCounter counter : Names.TOKENS) {
            all.add(counter(counter, readings, nowNs));
        }
        all.removeIf(metric -> metric.getData().getPoints().isEmpty());
        return all;
    }

    private MetricData histogram(String name, String help, Readings readings, Kind kind, long nowNs) {
        List<HistogramPointData> points = readings.times().stream()
                .filter(times -> times.kind() == kind)
                .map(times -> point(times, nowNs))
                .toList();
        var data = HistogramData.create(SINCE_START, points);
        return new Metric(resource, scope, name, help, "s", MetricDataType.HISTOGRAM, data);
    }

    private HistogramPointData point(Readings.Times times, long nowNs) {
        Attributes attributes = attributes(times.upstream(), times.model()).build();
        return HistogramPointData.create(
                startNs, nowNs, attributes, times.sum(), false, 0, false, 0, times.bounds(), times.counts());
    }

    private MetricData counter(TokenCounter counter, Readings readings, long nowNs) {
        List<LongPointData> points = readings.tokens().stream()
                .map(tokens -> LongPointData.create(
                        startNs,
                        nowNs,
                        attributes(tokens.upstream(), tokens.model())
                                .put(Names.MODALITY, Names.UNKNOWN_MODALITY)
                                .build(),
                        counter.count().applyAsLong(tokens)))
                .toList();
        var data = SumData.createLongSumData(true, SINCE_START, points);
        return new Metric(resource, scope, counter.name(), counter.help(), "{token}", MetricDataType.LONG_SUM, data);
    }

    private AttributesBuilder attributes(String name, @Nullable String model) {
        Upstream upstream = upstreams.get(name);
        AttributesBuilder attributes = Attributes.builder()
                .put(Names.OPERATION, Provider.operation(upstream))
                .put(Names.PROVIDER, Provider.name(upstream, name, null))
                .put(Names.UPSTREAM, name);
        if (model != null) {
            attributes.put(Names.REQUEST_MODEL, model);
        }
        if (upstream != null && upstream.urls().size() == 1) {
            Provider.addServer(attributes, upstream.url());
        }
        return attributes;
    }
}
