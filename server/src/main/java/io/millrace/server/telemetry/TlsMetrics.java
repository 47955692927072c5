package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;
import static io.millrace.server.telemetry.Snapshots.gauge;

import io.millrace.server.tls.TlsServers;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Metrics about the TLS of listeners. */
record TlsMetrics(TlsServers servers) {
    List<MetricSnapshot> snapshots() {
        return List.of(
                gauge(
                        "millrace_certificate_expiry_seconds",
                        "Seconds until the certificate expires, by its file; below zero once it has.",
                        expiries()),
                counter(
                        "millrace_certificate_reloads",
                        "How often the certificates of a listener were read again, by whether they were taken.",
                        Map.of(
                                Labels.of("result", "taken"), servers.reloads(true),
                                Labels.of("result", "failed"), servers.reloads(false))),
                counter(
                        "millrace_tls_handshakes_failed",
                        "TLS handshakes of clients that failed, by reason.",
                        failures()));
    }

    private Map<Labels, Long> expiries() {
        Instant now = Instant.now();
        var points = new HashMap<Labels, Long>();
        servers.ends()
                .forEach((file, end) -> points.put(
                        Labels.of("certificate", file),
                        Duration.between(now, end).toSeconds()));
        return points;
    }

    private Map<Labels, Long> failures() {
        var points = new HashMap<Labels, Long>();
        servers.failedHandshakes().forEach((reason, count) -> points.put(Labels.of("reason", reason), count));
        return points;
    }
}
