package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;
import static io.millrace.server.telemetry.Snapshots.gauge;

import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.List;
import java.util.Map;

/** How often the configuration and the file of clients were read again, and with what result. For any thread. */
final class Reloads {
    private long taken;
    private long failed;
    private boolean lastTaken = true;
    private long lastTakenMs = System.currentTimeMillis();
    private long lastTookNs;
    private long clientsTaken;
    private long clientsFailed;

    synchronized void onConfiguration(boolean isTaken, long tookNs) {
        lastTookNs = tookNs;
        lastTaken = isTaken;
        if (isTaken) {
            taken++;
            lastTakenMs = System.currentTimeMillis();
        } else {
            failed++;
        }
    }

    synchronized void onClients(boolean isTaken) {
        if (isTaken) {
            clientsTaken++;
        } else {
            clientsFailed++;
        }
    }

    synchronized List<MetricSnapshot> snapshots() {
        return List.of(
                counter(
                        "millrace_config_reloads",
                        "How often the configuration was read again, by whether it was taken.",
                        results(taken, failed)),
                gauge(
                        "millrace_config_last_reload_successful",
                        "Whether the configuration was taken when it was last read.",
                        lastTaken ? 1 : 0),
                gauge(
                        "millrace_config_last_reload_success_timestamp_seconds",
                        "When a configuration was last taken, in seconds since 1970.",
                        Map.of(Labels.EMPTY, lastTakenMs / 1e3)),
                gauge(
                        "millrace_config_last_reload_duration_seconds",
                        "How long it took to read the configuration again for the last time.",
                        Map.of(Labels.EMPTY, lastTookNs / 1e9)),
                counter(
                        "millrace_client_file_reads",
                        "How often the file of clients was read after a change, by whether it was taken.",
                        results(clientsTaken, clientsFailed)));
    }

    private static Map<Labels, Long> results(long taken, long failed) {
        return Map.of(Labels.of("result", "taken"), taken, Labels.of("result", "failed"), failed);
    }
}
