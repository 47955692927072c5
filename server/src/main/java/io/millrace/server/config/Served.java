package io.millrace.server.config;

/** What a listener can serve. A path of the relay's own that it does not serve gets 404 there. */
public enum Served {
    /** Everything that upstreams answer, with {@code /chat}, {@code /openapi.json} and requests to stop a stream. */
    RELAY,
    /** {@code /healthz} and {@code /readyz}. */
    HEALTH,
    /** {@code /metrics}. */
    METRICS,
    /** {@code GET /}, the playground, with {@code /chat} and {@code /openapi.json}, which it uses. */
    PAGE,
    /** {@code DELETE /millrace/streams/{id}}. */
    STREAMS
}
