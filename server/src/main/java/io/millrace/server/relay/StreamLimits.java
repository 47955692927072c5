package io.millrace.server.relay;

import io.millrace.server.address.AddressCounts;
import io.millrace.server.config.Limits;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.downstream.Admission;
import io.millrace.server.http.Refusal;
import io.millrace.server.telemetry.Metrics;
import java.net.InetAddress;

/** Decides whether one more request may begin: for the whole process, and for the address of its client. For any thread. */
final class StreamLimits {
    private static final Refusal FULL =
            Refusal.overloaded("The relay has as many requests in progress as it can serve. Try again.");
    private static final Refusal TOO_MANY = new Refusal(
            429,
            "too_many_streams",
            "Your address has as many requests in progress as one address may have. Wait until one has ended.",
            null,
            "1");

    private final AddressCounts byAddress = new AddressCounts();
    private final long byDescriptors = Admission.byDescriptors();
    private final Metrics metrics;

    /** Limits of a relay whose requests in progress {@code metrics} counts. */
    StreamLimits(Metrics metrics) {
        this.metrics = metrics;
    }

    /**
     * Why {@code exchange}, which is counted already, may not begin; null if it may. It then holds a place of its address
     * until it has ended.
     */
    Refusal refusal(Exchange exchange, InetAddress client, RelayConfig config) {
        Limits limits = config.limits();
        if (metrics.activeExchanges() > (limits.streams() > 0 ? limits.streams() : byDescriptors)) {
            return FULL;
        }
        var place = byAddress.take(client, config.trustedProxies(), limits.streamsPerAddress());
        if (place == null) {
            return TOO_MANY;
        }
        exchange.holds(place);
        return null;
    }
}
