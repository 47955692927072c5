package io.millrace.server.cli;

import io.millrace.server.config.file.ConfigKey;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The options that {@code serve} and {@code check} share. The texts go unchanged to the loader, which names the flag in
 * its errors.
 */
final class RelayOptions {
    @Parameters(
            arity = "0..1",
            paramLabel = "CONFIG",
            description = "Configuration file, YAML or JSON. Without one, $MILLRACE_CONFIG, else none.")
    private @Nullable Path file;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description = "Address to listen on, may be repeated; :PORT is every address, unix:/PATH a unix socket."
                    + " Default 127.0.0.1:8080.")
    private @Nullable List<String> listen;

    @Option(
            names = "--tls-cert",
            paramLabel = "FILE",
            description = "TLS on the addresses listened on: certificate chain, PEM. Read again when it changes.")
    private @Nullable String tlsCert;

    @Option(names = "--tls-key", paramLabel = "FILE", description = "The certificate's key: PEM, PKCS#8, mode 0600.")
    private @Nullable String tlsKey;

    @Option(
            names = "--upstream",
            paramLabel = "URL",
            description = "Relay everything to this URL, credentials passed through.")
    private @Nullable String upstream;

    @Option(
            names = "--dialect",
            paramLabel = "NAME",
            description = "What the upstream speaks: chat, responses, messages or gemini, or several with commas."
                    + " Requests in another dialect are translated to the first. Default: all are passed through.")
    private @Nullable String dialect;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "The model for translated requests and for those that name none. Default: the client's.")
    private @Nullable String model;

    @Option(
            names = "--transport",
            paramLabel = "NAME",
            description = "epoll, io_uring, kqueue or nio. Default: the best there is.")
    private @Nullable String transport;

    @Option(
            names = "--event-loops",
            paramLabel = "N",
            description = "Threads that relay. Default 0, one per two processors.")
    private @Nullable String eventLoops;

    @Option(names = "--access-log", paramLabel = "FORMAT", description = "json, text or off. Default json.")
    private @Nullable String accessLog;

    @Option(
            names = "--allow-open",
            description =
                    "Let addresses other than loopback use the relay's own keys. Whoever reaches them can spend them.")
    private boolean allowOpen;

    @Option(
            names = "--clients",
            paramLabel = "FILE",
            description = "File with the clients that may use the relay, each with keys of its own. Default: all may.")
    private @Nullable String clients;

    @Option(
            names = "--cors",
            paramLabel = "ORIGIN",
            description =
                    "Origin whose pages may call, such as https://app.example.com; may be repeated. Default none.")
    private @Nullable List<String> cors;

    @Option(
            names = "--page",
            paramLabel = "BOOLEAN",
            description = "Whether GET / is the playground. Default true; false relays it.")
    private @Nullable String page;

    @Option(
            names = "--drain",
            paramLabel = "TIME",
            description = "What streams get to end when the process stops. Default 30s.")
    private @Nullable String drain;

    @Option(
            names = "--shutdown-delay",
            paramLabel = "TIME",
            description = "For which a process that is to stop still serves, but is not ready. Default 5s under"
                    + " Kubernetes, Nomad, ECS and Cloud Run, else 0.")
    private @Nullable String shutdownDelay;

    /** The arguments that were given. */
    RelayArguments arguments() {
        return new RelayArguments(file, flags(), null);
    }

    private Map<ConfigKey, String> flags() {
        var flags = new EnumMap<ConfigKey, String>(ConfigKey.class);
        put(flags, ConfigKey.LISTEN, listen == null ? null : String.join(",", listen));
        put(flags, ConfigKey.TLS_CERT, tlsCert);
        put(flags, ConfigKey.TLS_KEY, tlsKey);
        put(flags, ConfigKey.UPSTREAM, upstream);
        put(flags, ConfigKey.DIALECT, dialect);
        put(flags, ConfigKey.MODEL, model);
        put(flags, ConfigKey.TRANSPORT, transport);
        put(flags, ConfigKey.EVENT_LOOPS, eventLoops);
        put(flags, ConfigKey.ACCESS_LOG, accessLog);
        put(flags, ConfigKey.ALLOW_OPEN, allowOpen ? "true" : null);
        put(flags, ConfigKey.CLIENTS, clients);
        put(flags, ConfigKey.CORS, cors == null ? null : String.join(",", cors));
        put(flags, ConfigKey.PAGE, page);
        put(flags, ConfigKey.DRAIN, drain);
        put(flags, ConfigKey.SHUTDOWN_DELAY, shutdownDelay);
        return flags;
    }

    private static void put(Map<ConfigKey, String> flags, ConfigKey key, @Nullable String text) {
        if (text != null) {
            flags.put(key, text);
        }
    }
}
