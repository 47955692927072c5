package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;

import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The counts of clients with keys, summed over all event loops. */
final class ClientMetrics {
    private final Map<Labels, Long> requests = new TreeMap<>();
    private final Map<Labels, Long> tokens = new TreeMap<>();

    ClientMetrics(List<LoopCounters> loops) {
        for (LoopCounters loop : loops) {
            loop.byClient.forEach((client, counts) -> {
                counts.requests.forEach((result, count) ->
                        requests.merge(Labels.of("client", client, "result", result), count.get(), Long::sum));
                tokens.merge(Labels.of("client", client, "direction", "input"), counts.tokens.input.get(), Long::sum);
                tokens.merge(Labels.of("client", client, "direction", "output"), counts.tokens.output.get(), Long::sum);
            });
        }
    }

    /** The metrics; none if no keys are required. */
    List<MetricSnapshot> snapshots() {
        return requests.isEmpty()
                ? List.of()
                : List.of(
                        counter(
                                "millrace_client_requests",
                                "Requests ended, by client and by whether they were served, failed, limited or refused.",
                                requests),
                        counter("millrace_client_tokens", "Tokens that upstreams reported, by client.", tokens));
    }
}
