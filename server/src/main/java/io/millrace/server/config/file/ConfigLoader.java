package io.millrace.server.config.file;

import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Upstream;
import io.millrace.server.tls.CertificateFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes a configuration from a file, the environment and flags. The file may be missing. Without upstreams, the
 * variables of the usual providers decide, or else the embedded mock is used. It finds all problems before it reports
 * them.
 */
public final class ConfigLoader {
    /** Variables that Kubernetes, Nomad, ECS and Cloud Run set for each of their processes. */
    private static final List<String> ORCHESTRATORS =
            List.of("KUBERNETES_SERVICE_HOST", "NOMAD_ALLOC_ID", "ECS_CONTAINER_METADATA_URI_V4", "K_SERVICE");

    private static final Duration ORCHESTRATED_DELAY = Duration.ofSeconds(5);

    private static final String LOG_FORMAT = "MILLRACE_LOG_FORMAT";

    private final ConfigSources sources;
    private final Problems problems;
    private final Draft draft = new Draft();
    private final Variables variables;
    private @Nullable Path tlsCert;
    private @Nullable Path tlsKey;

    private ConfigLoader(ConfigSources sources) {
        this.sources = sources;
        variables = new Variables(sources.environment().keySet());
        problems = new Problems(sources.file() == null ? "" : sources.file().toString());
    }

    /**
     * Loads the configuration. Reads the file, and the files of keys that it names, again each time.
     *
     * @throws ConfigException with everything that is wrong
     */
    public static RelayConfig load(ConfigSources sources) {
        return new ConfigLoader(sources).load();
    }

    private RelayConfig load() {
        if (isOrchestrated()) {
            draft.timeouts(t -> t.shutdownDelay = ORCHESTRATED_DELAY);
        }
        if (sources.file() != null) {
            readFile(sources.file());
        }
        for (var key : ConfigKey.values()) {
            if (!isOfUpstream(key)) {
                override(key);
            }
        }
        encrypt();
        if (draft.upstreams.isEmpty()
                && !new Presets(draft, sources.environment(), problems).add()
                && !problems.any()) {
            draft.relayEverythingTo(Upstream.of("mock", sources.mock().get()).with(u -> u.model = "mock"));
        }
        override(ConfigKey.DIALECT);
        override(ConfigKey.MODEL);
        Path clients = draft.relay.clients().file();
        if (clients != null) {
            problems.addAll(ClientsLoader.problems(clients));
        } else if (draft.relay.clients().redis() != null) {
            problems.add("clients", "redis: of no use without clients (expected: file)");
        }
        variables.unknown().forEach(name -> problems.add(name, variables.message(name)));
        checkLogFormat();
        problems.throwIfAny();
        return build();
    }

    /** The log itself reads the variable, and would be silent with another value. */
    private void checkLogFormat() {
        String format = sources.environment().getOrDefault(LOG_FORMAT, "text");
        if (!format.equals("text") && !format.equals("json")) {
            problems.add(LOG_FORMAT, "'" + format + "' (expected: text or json)");
        }
    }

    private RelayConfig build() {
        try {
            return draft.build();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            String source = message.startsWith("cors: ")
                    ? draft.corsSource
                    : message.startsWith("ownPaths: ") ? draft.ownPathsSource : draft.listenSource;
            problems.add(source, message.replaceFirst("^(listen|cors|ownPaths): ", ""));
            problems.throwIfAny();
            throw e;
        }
    }

    private void readFile(Path file) {
        Path parent = file.toAbsolutePath().resolveSibling("");
        try {
            String text = Files.readString(file);
            problems.showIn(text);
            var root = NodeReader.read(text, file.toString().endsWith(".json"), problems);
            try (var section = new Section(root, problems)) {
                new ConfigReader(draft, problems, secrets(parent), parent).read(section);
            }
        } catch (IOException e) {
            problems.add(file.toString(), "cannot be read: " + Secrets.reason(e));
        }
    }

    /** Reads keys, and remembers which variables have them. */
    private Secrets secrets(Path directory) {
        return new Secrets(sources.environment(), directory, variables::uses);
    }

    /** Whether it is a setting of an upstream, which must be known first. */
    private static boolean isOfUpstream(ConfigKey key) {
        return key == ConfigKey.DIALECT || key == ConfigKey.MODEL;
    }

    private void override(ConfigKey key) {
        String variable = sources.environment().getOrDefault(key.variable(), "");
        if (sources.flags().containsKey(key)) {
            override(key, key.flag(), sources.flags().get(key));
        } else if (!variable.isBlank()) {
            override(key, key.variable(), variable);
        }
    }

    private void override(ConfigKey key, String source, String text) {
        try {
            switch (key) {
                case LISTEN -> {
                    change(c -> c.listeners = Listener.at(list(text, ListenerTables.ADDRESS)));
                    draft.listenSource = source;
                }
                case TLS_CERT -> tlsCert = Path.of(text);
                case TLS_KEY -> tlsKey = Path.of(text);
                case UPSTREAM -> draft.relayEverythingTo(Upstream.of("default", Form.URL.read(text)));
                case DIALECT -> changeOnlyUpstream(u -> u.dialects = list(text, Form.SPOKEN));
                case MODEL -> changeOnlyUpstream(u -> u.model = text);
                case TRANSPORT -> change(c -> c.transport = Tables.TRANSPORT.read(text));
                case EVENT_LOOPS -> change(c -> c.eventLoops = Form.COUNT.read(text));
                case ACCESS_LOG ->
                    change(c -> c.accessLog = c.accessLog.with(a -> a.format = Tables.LOG_FORMAT.read(text)));
                case CORS -> {
                    change(c -> c.cors = c.cors.with(o -> o.origins = list(text, Form.TEXT)));
                    draft.corsSource = source;
                }
                case CLIENTS -> change(c -> c.clients = c.clients.with(k -> k.file = Path.of(text)));
                case ALLOW_OPEN -> change(c -> c.clients = c.clients.with(a -> a.allowOpen = Form.BOOLEAN.read(text)));
                case PAGE -> change(c -> c.ownPaths = c.ownPaths.with(o -> o.page = Form.BOOLEAN.read(text)));
                case DRAIN -> draft.timeouts(t -> t.drain = Form.DURATION.read(text));
                case SHUTDOWN_DELAY -> draft.timeouts(t -> t.shutdownDelay = Form.DURATION.read(text));
            }
        } catch (IllegalArgumentException e) {
            // The flag already names the setting.
            problems.add(
                    source,
                    String.valueOf(e.getMessage()).replaceFirst("^(url|transport|eventLoops|origins|listen): ", ""));
        }
    }

    /** Uses the flags' certificate for all addresses. The file may give only addresses then. */
    private void encrypt() {
        if (tlsCert == null && tlsKey == null) {
            return;
        }
        String source = (tlsCert == null ? ConfigKey.TLS_KEY : ConfigKey.TLS_CERT).flag();
        if (tlsCert == null || tlsKey == null) {
            problems.add(source, "alone (expected: --tls-cert and --tls-key)");
        } else if (!draft.relay.listeners().stream().allMatch(Listener::isPlain)) {
            problems.add(source, "beside listeners with settings of their own (expected: tls in listeners)");
        } else {
            encrypt(new Listener.Tls.Certificate(tlsCert, tlsKey));
        }
    }

    private void encrypt(Listener.Tls.Certificate certificate) {
        try {
            CertificateFiles.check(certificate.cert(), certificate.key());
        } catch (IllegalArgumentException e) {
            problems.add("--tls", String.valueOf(e.getMessage()));
        }
        Listener.Tls tls = Listener.Tls.DEFAULT.with(t -> t.certificates = List.of(certificate));
        change(c -> c.listeners =
                c.listeners.stream().map(each -> each.with(l -> l.tls = tls)).toList());
    }

    private void change(Consumer<RelayConfig.Builder> change) {
        draft.relay = draft.relay.with(change);
    }

    private void changeOnlyUpstream(Consumer<Upstream.Builder> change) {
        if (draft.upstreams.size() > 1) {
            throw new IllegalArgumentException(
                    "there are " + draft.upstreams.size() + " upstreams (expected: one, such as by --upstream)");
        }
        draft.upstreams.replaceAll((name, upstream) -> upstream.with(change));
    }

    private static <V> List<V> list(String text, Form<V> form) {
        return Arrays.stream(text.split(",")).map(String::strip).map(form::read).toList();
    }

    /** An orchestrator sends clients here, and probes whether it may. */
    private boolean isOrchestrated() {
        return ORCHESTRATORS.stream().anyMatch(sources.environment()::containsKey);
    }
}
