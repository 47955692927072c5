package io.millrace.server.access;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.address.AddressSet;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.ResumeStore;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.Target;
import io.millrace.server.limit.Permit;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The sender of one request, with its share of its client's limits. If no keys are required, every sender may do
 * everything. Confined to the request's event loop.
 */
public final class Caller {
    private static final Refusal UNKNOWN = Refusal.of(
            401,
            "invalid_api_key",
            "This relay requires a key of its own (mr_...), and this request has no valid one.");

    /** The sender if no keys are required. */
    public static final Caller ANYONE = new Caller(null, null, null);

    /** A sender without a valid key. */
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

    /** A sender with more than one key, or with a key in a place from which it would be passed on. */
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

    /** Why the sender may not use the relay; null if it may. */
    public @Nullable Refusal refusal() {
        return refusal;
    }

    /** Whether the client's key, or its certificate, is still among {@code clients}. */
    boolean isHeld(Clients clients) {
        return client == null || clients.hold(client.name(), keyId);
    }

    /** Whether it is a client that the relay knows. */
    public boolean isKnown() {
        return client != null;
    }

    /** The client's name; null where none is known. */
    public @Nullable String name() {
        return client == null ? null : client.name();
    }

    /** Distinguishes the keys of a client in a log; null if there was no key. */
    public @Nullable String keyId() {
        return keyId;
    }

    /** Whether it may read metrics, which name all clients. */
    public boolean mayReadMetrics() {
        return refusal == null && (client == null || client.settings().metrics());
    }

    /**
     * What only the same client has again.
     *
     * @param headers of the request, which tell who it is where no keys are asked for
     * @param resume says whether other nodes must know the client, too
     */
    public byte[] owner(HttpHeaders headers, Target target, Resume resume) {
        ResumeStore shared = resume.redis();
        if (shared == null) {
            return client == null ? ClientKey.hash(headers, target) : client.owner();
        }
        byte[] salt = shared.salt();
        return client == null ? ClientKey.hash(headers, target, salt) : client.owner(salt);
    }

    /** Takes a place for the request. Returns why there is none, or null. */
    public @Nullable Refusal begin(long nowNs) {
        return permit == null ? null : permit.begin(nowNs);
    }

    /** Whether the model must be known before the request is served. */
    public boolean isBoundToModels() {
        return client != null && !client.settings().models().isEmpty();
    }

    /** Whether tokens are counted. The whole request must then be read first. */
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
     * Why it may not use this model; null if it may.
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

    /** Gives the place back when the request is over. Returns the tokens that it used, if tokens are counted. */
    public void end(long input, long output, long nowNs) {
        if (permit != null) {
            permit.end(input, output, nowNs);
        }
    }

    /** The estimate of the request's tokens; 0 if tokens are not counted. */
    public long estimatedInput() {
        return permit == null ? 0 : permit.input();
    }

    /**
     * Adds what is left of the client's limits to an answer, in the form of its dialect. Replaces the provider's fields
     * about the relay's account.
     */
    public void decorate(HttpHeaders headers, Dialect dialect, long nowNs) {
        if (client != null) {
            client.use().tell(headers, dialect, nowNs);
        }
    }
}
