package io.millrace.server.config.file;

/** The settings that a flag or a variable can also give. */
public enum ConfigKey {
    /** Addresses to listen on, separated by commas. */
    LISTEN,
    /** PEM file with the certificate chain for all addresses. */
    TLS_CERT,
    /** PEM file with the key of that certificate. */
    TLS_KEY,
    /** One URL to relay everything to, in place of the file's upstreams and routes. */
    UPSTREAM,
    /** The dialects of the only upstream, separated by commas. Requests in other dialects are translated. */
    DIALECT,
    /** The model of the only upstream for translated requests, and for requests that name no model. */
    MODEL,
    /** A {@link io.millrace.server.transport.Transport}, by its label. */
    TRANSPORT,
    /** Threads that relay. */
    EVENT_LOOPS,
    /** {@code json}, {@code text} or {@code off}. */
    ACCESS_LOG,
    /** {@code true} lets clients at addresses other than loopback use the relay's keys. */
    ALLOW_OPEN,
    /** The file with the clients' keys. */
    CLIENTS,
    /** Origins whose pages may call, separated by commas. */
    CORS,
    /** {@code false} turns off the playground at {@code GET /}. */
    PAGE,
    /** How long streams may continue when the process stops. */
    DRAIN,
    /** How long the process still serves, although it says that it is not ready, before it stops. */
    SHUTDOWN_DELAY;

    /** The flag, with its dashes. */
    public String flag() {
        return "--" + Form.label(this);
    }

    /** The environment variable. */
    public String variable() {
        return "MILLRACE_" + name();
    }
}
