package io.millrace.server.config.file;

/** The settings that a flag or a variable can give, too. */
public enum ConfigKey {
    /** Addresses to listen on, separated by commas. */
    LISTEN,
    /** PEM chain of the certificate for the addresses that are listened on. */
    TLS_CERT,
    /** PEM key of that certificate. */
    TLS_KEY,
    /** One URL to relay everything to, in place of the file's upstreams and routes. */
    UPSTREAM,
    /** What the only upstream speaks, so that requests in other dialects are translated; several separated by commas. */
    DIALECT,
    /** The model that translated requests, and those that name none, get of the only upstream. */
    MODEL,
    /** A {@link io.millrace.server.transport.Transport} by its label. */
    TRANSPORT,
    /** Threads that relay. */
    EVENT_LOOPS,
    /** {@code json}, {@code text} or {@code off}. */
    ACCESS_LOG,
    /** {@code true} lets addresses other than loopback use the relay's keys. */
    ALLOW_OPEN,
    /** The file with the clients' keys. */
    CLIENTS,
    /** Origins whose pages may call, separated by commas. */
    CORS,
    /** {@code false} serves no playground at {@code GET /}. */
    PAGE,
    /** What streams get to end when the process stops. */
    DRAIN,
    /** How long the process still serves, and says that it is not ready, before it stops. */
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
