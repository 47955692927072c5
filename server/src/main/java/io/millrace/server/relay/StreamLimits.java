package io.millrace.server.relay;

import io.millrace.server.access.Caller;
import io.millrace.server.address.AddressCounts;
import io.millrace.server.config.Limits;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.downstream.Admission;
import io.millrace.server.http.Refusal;
import io.millrace.server.telemetry.Metrics;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** Decides whether one more request may begin, for the whole process and for its client's address. For any thread. */
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
    private final long places = Admission.places();
    private final Metrics metrics;

    /** Creates the limits of a relay. {@code metrics} counts its requests in progress. */
    StreamLimits(Metrics metrics) {
        this.metrics = metrics;
    }

    /**
     * Why {@code exchange}, which is already counted, may not begin; null if it may. It then holds a place of its
     * address or of its caller until it has ended. A caller with a key has its own limits at any address.
     */
    @Nullable
    Refusal refusal(Exchange exchange, @Nullable InetAddress client, Caller caller, RelayConfig config) {
        Limits limits = config.limits();
        if (metrics.activeExchanges() > most(limits)) {
            return FULL;
        }
        if (caller.isKnown()) {
            return caller.begin(System.nanoTime());
        }
        var place = byAddress.take(client, config.trustedProxies(), limits.streamsPerAddress());
        if (place == null) {
            return TOO_MANY;
        }
        exchange.holds(place);
        return null;
    }

    /** The most requests that the process may have in progress. */
    long most(Limits limits) {
        return limits.streams() > 0 ? limits.streams() : places;
    }
}
