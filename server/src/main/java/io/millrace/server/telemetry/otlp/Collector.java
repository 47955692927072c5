package io.millrace.server.telemetry.otlp;

import io.millrace.server.config.Telemetry.Otlp;
import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporterBuilder;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporterBuilder;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.RetryPolicy;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The collector, and what is said about it when it does not take what it gets. Confined to the exporting thread. */
final class Collector {
    private static final Logger LOG = LoggerFactory.getLogger(Collector.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final RetryPolicy RETRIES =
            RetryPolicy.builder().setMaxAttempts(3).build();
    /** More than all attempts with their waits take. */
    private static final long LIMIT_S = 60;

    private static final long QUIET_NS = TimeUnit.MINUTES.toNanos(1);

    private final String endpoint;
    private final ExecutorService sending;
    private final SpanExporter traces;
    private final MetricExporter metrics;
    private volatile boolean failing;
    private boolean complained;
    private long complainedNs;

    /** The collector in {@code settings}. It is not connected before the first report. */
    Collector(Otlp settings) {
        ExporterLog.attach();
        endpoint = String.valueOf(settings.endpoint()).replaceAll("/+$", "");
        sending = Executors.newSingleThreadExecutor(task -> {
            var thread = new Thread(task, "millrace-otlp-send");
            thread.setDaemon(true);
            return thread;
        });
        traces = traces(settings);
        metrics = metrics(settings);
    }

    private SpanExporter traces(Otlp settings) {
        OtlpHttpSpanExporterBuilder builder = OtlpHttpSpanExporter.builder()
                .setEndpoint(endpoint + "/v1/traces")
                .setTimeout(TIMEOUT)
                .setConnectTimeout(CONNECT_TIMEOUT)
                .setRetryPolicy(RETRIES)
                .setMeterProvider(MeterProvider.noop())
                .setExecutorService(sending);
        settings.headers().forEach((name, secret) -> builder.addHeader(name, secret.reveal()));
        return builder.build();
    }

    private MetricExporter metrics(Otlp settings) {
        OtlpHttpMetricExporterBuilder builder = OtlpHttpMetricExporter.builder()
                .setEndpoint(endpoint + "/v1/metrics")
                .setTimeout(TIMEOUT)
                .setConnectTimeout(CONNECT_TIMEOUT)
                .setRetryPolicy(RETRIES)
                .setMeterProvider(MeterProvider.noop())
                .setExecutorService(sending);
        settings.headers().forEach((name, secret) -> builder.addHeader(name, secret.reveal()));
        return builder.build();
    }

    /** Sends spans, and waits until they are taken or given up. */
    void sendSpans(List<SpanData> spans) {
        await(spans.size() + " spans", traces.export(spans));
    }

    /** Sends metrics, and waits until they are taken or given up. */
    void sendMetrics(List<MetricData> all) {
        await(all.size() + " metrics", metrics.export(all));
    }

    private void await(String what, CompletableResultCode result) {
        result.join(LIMIT_S, TimeUnit.SECONDS);
        if (!result.isSuccess()) {
            failing = true;
            complain(what + " are lost", ExporterLog.last(result.getFailureThrowable()));
        } else if (failing) {
            failing = false;
            LOG.info("telemetry.otlp: {} takes reports again", endpoint);
        }
    }

    /** Warns, at most once a minute. Returns whether it has. */
    boolean complain(String what, @Nullable String why) {
        long nowNs = System.nanoTime();
        if (complained && nowNs - complainedNs < QUIET_NS) {
            return false;
        }
        complained = true;
        complainedNs = nowNs;
        LOG.warn("telemetry.otlp: {}, {}{}", endpoint, what, why == null ? "" : ": " + why);
        return true;
    }

    /** Whether it has not taken the last report. Any thread may ask. */
    boolean isFailing() {
        return failing;
    }

    /** Ends the connections, and what is being sent. Any thread may call it. */
    void close() {
        sending.shutdownNow(); // before the others, which wait for what is being sent
        traces.shutdown();
        metrics.shutdown();
    }
}
