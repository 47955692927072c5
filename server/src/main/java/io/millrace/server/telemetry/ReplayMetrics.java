package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;
import static io.millrace.server.telemetry.Snapshots.gauge;

import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.share.StoreCounters;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Metrics about streams that are kept for readers. */
record ReplayMetrics(ReplayMemory logs, @Nullable StoreCounters store) {
    List<MetricSnapshot> snapshots() {
        var givenUp = new HashMap<Labels, Long>();
        for (ReplayMemory.GivenUp what : ReplayMemory.GivenUp.values()) {
            givenUp.put(Labels.of("what", what.name().toLowerCase(Locale.ROOT)), logs.givenUp(what));
        }
        var resumes = new HashMap<Labels, Long>();
        logs.resumes().forEach((result, count) -> resumes.put(Labels.of("result", result), count.sum()));
        var all = new ArrayList<>(List.of(
                gauge("millrace_replay_bytes", "Bytes that kept streams hold outside of the heap.", logs.held()),
                gauge("millrace_replay_bytes_limit", "Bytes that kept streams may hold.", logs.most()),
                gauge(
                        "millrace_replay_logs",
                        "Streams that are kept, by whether they are in progress.",
                        Map.of(Labels.of("state", "live"), logs.live(), Labels.of("state", "ended"), logs.ended())),
                gauge("millrace_replay_readers", "Clients that read a kept stream.", logs.readers()),
                gauge(
                        "millrace_replay_detached",
                        "Streams that go on without the client that asked for them.",
                        logs.detached()),
                counter("millrace_replay_resumes", "Requests to read a kept stream, by result.", resumes),
                counter(
                        "millrace_replay_given_up",
                        "Streams that were not kept, or not long enough, because memory was short.",
                        givenUp)));
        if (store != null) {
            addStore(all, store);
        }
        return all;
    }

    private static void addStore(List<MetricSnapshot> all, StoreCounters store) {
        var errors = new HashMap<Labels, Long>();
        store.errors().forEach((kind, count) -> errors.put(Labels.of("kind", kind), count.sum()));
        all.add(gauge(
                "millrace_replay_store_up",
                "Whether streams are shared at the moment; 0 while the store is down.",
                store.isUp() ? 1 : 0));
        all.add(gauge(
                "millrace_replay_store_unshipped_bytes",
                "Bytes of streams that the store does not have yet.",
                store.unshipped()));
        all.add(counter(
                "millrace_replay_store_errors",
                "Refusals of the store by their first word, and lost connections.",
                errors));
        all.add(counter(
                "millrace_replay_store_fenced",
                "Streams of this node that another node has ended, because this one was silent.",
                store.fencedTotal()));
        all.add(counter(
                "millrace_replay_store_lost",
                "Streams of other nodes that this node has ended, because those were gone.",
                store.lostTotal()));
    }
}
