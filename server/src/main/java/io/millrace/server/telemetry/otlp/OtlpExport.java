package io.millrace.server.telemetry.otlp;

import io.millrace.server.config.Telemetry.Otlp;
import io.millrace.server.config.Upstream;
import io.millrace.server.telemetry.Metrics;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Tracing;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Sends what a relay records to its collector, on threads of its own. What the collector does not take is dropped, so a
 * collector that is down or slow costs the relay a bounded queue, and the operator sees one warning a minute.
 */
public final class OtlpExport implements AutoCloseable {
    private static final int MOST_EXCHANGES = 256;
    /** So short that the exchanges of a busy relay do not fill the queue in it. */
    private static final long PERIOD_MS = 100;

    private static final long CLOSE_LIMIT_MS = 10_000;

    private final Source source;
    private final Collector collector;
    private final boolean metrics;
    private final long intervalNs;
    private final long closeLimitMs;
    private final long startNs = epochNs();
    private final String instance = UUID.randomUUID().toString();
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "millrace-otlp");
    private long nextMetricsNs;
    private long lost;

    /**
     * What is sent.
     *
     * @param metrics the relay's
     * @param tracing has the exchanges that have ended
     * @param upstreams those that are configured at the moment, by name
     */
    public record Source(Metrics metrics, Tracing tracing, Supplier<Map<String, Upstream>> upstreams) {}

    private OtlpExport(Otlp settings, Source source, long closeLimitMs) {
        this.source = source;
        this.closeLimitMs = closeLimitMs;
        collector = new Collector(settings);
        metrics = settings.metrics();
        intervalNs = settings.interval().toNanos();
        nextMetricsNs = System.nanoTime() + intervalNs;
        thread.setDaemon(true);
    }

    /** Begins to send to the collector in {@code settings}, which are on. */
    public static OtlpExport open(Otlp settings, Source source) {
        return open(settings, source, CLOSE_LIMIT_MS);
    }

    /** Begins to send. The close takes {@code closeLimitMs} at most. */
    static OtlpExport open(Otlp settings, Source source, long closeLimitMs) {
        var export = new OtlpExport(settings, source, closeLimitMs);
        export.thread.start();
        return export;
    }

    /**
     * Sends what is left, for at most ten seconds, and nothing if the collector has not taken the last report. To be
     * called when no exchange can end any more.
     */
    @Override
    public void close() {
        stopping.countDown();
        try {
            if (!collector.isFailing()) {
                thread.join(closeLimitMs);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        collector.close();
        thread.interrupt();
    }

    private void run() {
        boolean over = false;
        boolean behind = false;
        while (!over) {
            try {
                boolean stop = stopping.await(behind ? 0 : PERIOD_MS, TimeUnit.MILLISECONDS);
                if (stop && collector.isFailing()) {
                    return;
                }
                behind = sendTraces();
                over = stop && !behind;
                if (metrics && (over || System.nanoTime() - nextMetricsNs >= 0)) {
                    nextMetricsNs = System.nanoTime() + intervalNs;
                    sendMetrics();
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                collector.complain("the relay could not make a report", e.toString());
            }
        }
    }

    /**
     * Sends one report of traces, because metrics are due in time also while more traces wait. Returns whether more may
     * wait.
     */
    private boolean sendTraces() {
        var spans = new ArrayList<SpanData>();
        boolean more = addSpans(spans);
        if (!spans.isEmpty()) {
            collector.sendSpans(spans);
        }
        long nowLost = source.tracing().lost();
        if (nowLost != lost
                && collector.complain((nowLost - lost) + " traces were lost, because too many waited", null)) {
            lost = nowLost;
        }
        return more;
    }

    /** Adds the spans of some exchanges that wait. Returns whether more may wait. */
    private boolean addSpans(List<SpanData> all) {
        Spans making = null;
        for (int i = 0; i < MOST_EXCHANGES; i++) {
            Summary summary = source.tracing().poll();
            if (summary == null) {
                return false;
            }
            if (making == null) {
                making = new Spans(
                        origin(),
                        epochNs() - System.nanoTime(),
                        source.upstreams().get());
            }
            all.addAll(making.of(summary));
        }
        return true;
    }

    private void sendMetrics() {
        FinishedSpan.Origin origin = origin();
        var making = new GenAiMetrics(
                origin.resource(), origin.scope(), startNs, source.upstreams().get());
        var all = making.of(source.metrics().readings(), epochNs());
        if (!all.isEmpty()) {
            collector.sendMetrics(all);
        }
    }

    private FinishedSpan.Origin origin() {
        String version = source.metrics().version();
        Attributes service = Attributes.of(
                Names.SERVICE_NAME, Names.SERVICE,
                Names.SERVICE_VERSION, version,
                Names.SERVICE_INSTANCE, instance);
        var scope = InstrumentationScopeInfo.builder(Names.SCOPE).setVersion(version);
        return new FinishedSpan.Origin(Resource.create(service), scope.build());
    }

    private static long epochNs() {
        Instant now = Instant.now();
        return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    }
}
