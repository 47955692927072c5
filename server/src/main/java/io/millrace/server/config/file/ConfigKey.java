package io.millrace.server.config.file;

/** The settings that a flag or a variable can give, too. */
public enum ConfigKey {
    /** Addresses to listen on, separated by commas. */
    LISTEN("--listen", "MILLRACE_LISTEN"),
    /** One URL to relay everything to, in place of the file's upstreams and routes. */
    UPSTREAM("--upstream", "MILLRACE_UPSTREAM"),
    /** What the only upstream speaks, so that requests in other dialects are translated; several separated by commas. */
    DIALECT("--dialect", "MILLRACE_DIALECT"),
    /** The model that translated requests, and those that name none, get of the only upstream. */
    MODEL("--model", "MILLRACE_MODEL"),
    /** A {@link io.millrace.server.transport.Transport} by its label. */
    TRANSPORT("--transport", "MILLRACE_TRANSPORT"),
    /** Threads that relay. */
    EVENT_LOOPS("--event-loops", "MILLRACE_EVENT_LOOPS"),
    /** {@code json}, {@code text} or {@code off}. */
    ACCESS_LOG("--access-log", "MILLRACE_ACCESS_LOG"),
    /** {@code true} lets addresses other than loopback use the relay's keys. */
    ALLOW_OPEN("--allow-open", "MILLRACE_ALLOW_OPEN"),
    /** Origins whose pages may call, separated by commas. */
    CORS("--cors", "MILLRACE_CORS"),
    /** {@code false} serves no playground at {@code GET /}. */
    PAGE("--page", "MILLRACE_PAGE"),
    /** What streams get to end when the process stops. */
    DRAIN("--drain", "MILLRACE_DRAIN"),
    /** How long the process still serves, and says that it is not ready, before it stops. */
    SHUTDOWN_DELAY("--shutdown-delay", "MILLRACE_SHUTDOWN_DELAY");

    private final String flag;
    private final String variable;

    ConfigKey(String flag, String variable) {
        this.flag = flag;
        this.variable = variable;
    }

    /** The flag, with its dashes. */
    public String flag() {
        return flag;
    }

    /** The environment variable. */
    public String variable() {
        return variable;
    }
}
