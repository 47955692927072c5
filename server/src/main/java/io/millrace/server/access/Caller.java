package io.millrace.server.access;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.address.AddressSet;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.Target;
import io.millrace.server.limit.Permit;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Who sent one request, and what it has of its client's limits. Where no keys are asked for, it is anyone, who may do
 * everything. Confined to the request's event loop.
 */
public final class Caller {
    private static final Refusal UNKNOWN = Refusal.of(
            401,
            "invalid_api_key",
            "This relay asks for a key of its own (mr_...), and this request has none that is valid.");

    /** Where no keys are asked for. */
    public static final Caller ANYONE = new Caller(null, null, null);

    /** Whoever has no valid key. */
    static final Caller STRANGER = new Caller(null, null, UNKNOWN);

    private static final Refusal ELSEWHERE =
            Refusal.of(403, "permission_denied", "This key may not be used from this address.");

    private final @Nullable Client client;
    private final @Nullable String keyId;
    private final @Nullable Refusal refusal;
    private final @Nullable Permit permit;

    private Caller(@Nullable Client client, @Nullable String keyId, @Nullable Refusal refusal) {
        this.client = client;
        this.keyId = keyId;
        this.refusal = refusal;
        permit = client == null ? null : new Permit(client.use());
    }

    /** Whoever has put a key where it would be sent on, or more than one. */
    static Caller careless(String message) {
        return new Caller(null, null, Refusal.of(401, "invalid_api_key", message));
    }

    /**
     * A client, by one of its keys or, where {@code keyId} is null, its certificate.
     *
     * @param address from which it asks; null is that of a unix socket
     */
    static Caller of(Client client, @Nullable String keyId, @Nullable InetAddress address) {
        AddressSet from = client.settings().from();
        return new Caller(client, keyId, from.isEmpty() || from.contains(address) ? null : ELSEWHERE);
    }

    /** Why this is nobody who may ask; null if it is. */
    public @Nullable Refusal refusal() {
        return refusal;
    }

    /** Whether it is a client that the relay knows. */
    public boolean isKnown() {
        return client != null;
    }

    /** The client's name; null where none is known. */
    public @Nullable String name() {
        return client == null ? null : client.name();
    }

    /** Tells the keys of a client apart in a log; null if there was none. */
    public @Nullable String keyId() {
        return keyId;
    }

    /** Whether it may read what names all clients. */
    public boolean mayReadMetrics() {
        return refusal == null && (client == null || client.settings().metrics());
    }

    /**
     * What only the same client has again.
     *
     * @param headers of the request, which tell who it is where no keys are asked for
     */
    public byte[] owner(HttpHeaders headers, Target target) {
        return client == null ? ClientKey.hash(headers, target) : client.owner();
    }

    /** Takes a place for the request. Says why there is none; null if it may be served. */
    public @Nullable Refusal begin(long nowNs) {
        return permit == null ? null : permit.begin(nowNs);
    }

    /** Whether the model must be known before the request may be served. */
    public boolean isBoundToModels() {
        return client != null && !client.settings().models().isEmpty();
    }

    /** Whether tokens are counted, for which the request must be here as a whole. */
    public boolean countsTokens() {
        return client != null && client.use().countsTokens();
    }

    /** Why it may not use this route; null if it may. */
    public @Nullable Refusal deniedRoute(String route) {
        if (client == null || client.settings().allowsRoute(route)) {
            return null;
        }
        return Refusal.of(403, "permission_denied", "This client may not use this route.");
    }

    /**
     * Why it may not ask for this model; null if it may.
     *
     * @param model null where the request names none
     */
    public @Nullable Refusal deniedModel(HttpMethod method, Target target, @Nullable String model) {
        if (client == null || !isBoundToModels()) {
            return null;
        }
        boolean reads = method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
        if (model == null ? !reads : !client.settings().allowsModel(model)) {
            String message = model == null
                    ? "This client may use certain models only, and the request names none."
                    : "The model is not served here, or not for this client.";
            return new Refusal(404, "model_not_found", message, "model", null);
        }
        for (String named : target.namesOfModels()) {
            if (!reads && !client.settings().allowsModel(named)) {
                return new Refusal(
                        404,
                        "model_not_found",
                        "The model in the path is not served here, or not for this client.",
                        "model",
                        null);
            }
        }
        return null;
    }

    /**
     * Reserves what the request may use.
     *
     * @param maxOutput the most tokens that the answer may have; -1 if the request does not say
     * @return why there is not so much; null if there is
     */
    public @Nullable Refusal reserve(long bodyBytes, long maxOutput, long nowNs) {
        return permit == null ? null : permit.reserve(bodyBytes, maxOutput, nowNs, System.currentTimeMillis());
    }

    /** The request is over: gives its place back. Says what it used, if tokens are counted. */
    public void end(long input, long output, long nowNs) {
        if (permit != null) {
            permit.end(input, output, nowNs);
        }
    }

    /** Tokens that the request was taken to have; 0 if tokens are not counted. */
    public long estimatedInput() {
        return permit == null ? 0 : permit.input();
    }

    /** Has an answer say what is left to the client, in the form of its dialect, in place of what a provider says of the relay. */
    public void decorate(HttpHeaders headers, Dialect dialect, long nowNs) {
        if (client != null) {
            client.use().tell(headers, dialect, nowNs);
        }
    }
}
