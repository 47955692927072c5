package io.millrace.server.config.file;

import org.jspecify.annotations.Nullable;

/** The settings that a flag or a variable can also give. The texts are those of the command line's help. */
public enum ConfigKey {
    LISTEN(
            "HOST:PORT",
            "Address to listen on, may be repeated; :PORT is every address, unix:/PATH a unix socket."
                    + " Default 127.0.0.1:8080."),
    TLS_CERT("FILE", "TLS on all addresses: the certificate chain, PEM. Read again when it changes."),
    TLS_KEY("FILE", "The certificate's key: PEM, PKCS#8, closed to others."),
    UPSTREAM("URL", "Relay everything to this URL, credentials passed through."),
    DIALECT(
            "NAME",
            "Dialect of the upstream: chat, responses, messages or gemini, or several with commas."
                    + " Requests in another dialect are translated to the first. Default: all are passed through."),
    MODEL("NAME", "The model for translated requests and for those that name none. Default: the client's."),
    TRANSPORT("NAME", "epoll, io_uring, kqueue or nio. Default: the best that is available."),
    EVENT_LOOPS("N", "Threads that relay. Default 0, one per two processors."),
    ACCESS_LOG("FORMAT", "json, text or off. Default json."),
    ALLOW_OPEN(
            null,
            "Let addresses other than loopback use the relay's own keys. Everyone who reaches them can spend the keys."),
    CLIENTS("FILE", "File with the clients that may use the relay, each with keys of its own. Default: all may."),
    CORS("ORIGIN", "Origin whose pages may call, such as https://app.example.com; may be repeated. Default none."),
    PAGE("BOOLEAN", "Whether GET / shows the playground. Default true; with false, it is relayed."),
    DRAIN("TIME", "Time that streams get to end when the process stops. Default 30s."),
    SHUTDOWN_DELAY(
            "TIME",
            "Time for which a stopping process still serves, but is not ready. Default 5s under Kubernetes, Nomad,"
                    + " ECS and Cloud Run, else 0.");

    private final @Nullable String label;
    private final String description;

    ConfigKey(@Nullable String label, String description) {
        this.label = label;
        this.description = description;
    }

    /** The flag, with its dashes. */
    public String flag() {
        return "--" + Form.label(this);
    }

    /** The kind of the flag's value; null if the flag has no value and sets {@code true}. */
    public @Nullable String label() {
        return label;
    }

    /** The meaning, for the command line's help. */
    public String description() {
        return description;
    }

    /** Whether the flag may be repeated. Several values are separated by commas. */
    public boolean isRepeatable() {
        return this == LISTEN || this == CORS;
    }

    /** The environment variable. */
    public String variable() {
        return "MILLRACE_" + name();
    }
}
