package io.millrace.server.config.file;

import io.millrace.server.config.Checks;
import io.millrace.server.config.HostAndPort;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/**
 * Makes a configuration of a file, the environment and flags. The file may be missing; what nothing names is filled from
 * the usual providers' variables or the embedded mock. Every problem is found before any is told.
 */
public final class ConfigLoader {
    /** What Kubernetes, Nomad, ECS and Cloud Run tell each of their processes. */
    private static final List<String> ORCHESTRATORS =
            List.of("KUBERNETES_SERVICE_HOST", "NOMAD_ALLOC_ID", "ECS_CONTAINER_METADATA_URI_V4", "K_SERVICE");

    private static final Duration ORCHESTRATED_DELAY = Duration.ofSeconds(5);

    private final ConfigSources sources;
    private final Problems problems;
    private final Draft draft = new Draft();

    private ConfigLoader(ConfigSources sources) {
        this.sources = sources;
        problems = new Problems(sources.file() == null ? "" : sources.file().toString());
    }

    /**
     * The configuration; reads the file, and the files of keys that it names, anew.
     *
     * @throws ConfigException with everything that is wrong
     */
    public static RelayConfig load(ConfigSources sources) {
        return new ConfigLoader(sources).load();
    }

    private RelayConfig load() {
        if (isOrchestrated()) {
            draft.timeouts = draft.timeouts.withShutdownDelay(ORCHESTRATED_DELAY);
        }
        if (sources.file() != null) {
            readFile(sources.file());
        }
        for (var key : ConfigKey.values()) {
            if (!isOfUpstream(key)) {
                override(key);
            }
        }
        if (draft.upstreams.isEmpty()
                && !new Presets(draft, sources.environment(), problems).add()
                && !problems.any()) {
            draft.relayEverythingTo(Upstream.of("mock", sources.mock().get()).withModel("mock"));
        }
        override(ConfigKey.DIALECT);
        override(ConfigKey.MODEL);
        problems.throwIfAny();
        return build();
    }

    private RelayConfig build() {
        try {
            return draft.build();
        } catch (IllegalArgumentException e) {
            boolean ofCors = e.getMessage().startsWith("cors: ");
            problems.add(
                    ofCors ? draft.corsSource : draft.listenSource,
                    e.getMessage().replaceFirst("^(listen|cors): ", ""));
            problems.throwIfAny();
            throw e;
        }
    }

    private void readFile(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        try {
            var root = NodeReader.read(Files.readString(file), file.toString().endsWith(".json"), problems);
            try (var section = new Section(root, problems)) {
                new ConfigReader(draft, problems, new Secrets(sources.environment(), parent), parent).read(section);
            }
        } catch (IOException e) {
            problems.add(file.toString(), "cannot be read: " + Secrets.reason(e));
        }
    }

    /** Whether it says something about an upstream, which must be known before. */
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
                    draft.listen = Arrays.stream(text.split(","))
                            .map(String::strip)
                            .map(HostAndPort::parse)
                            .toList();
                    draft.listenSource = source;
                }
                case UPSTREAM -> draft.relayEverythingTo(Upstream.of("default", ConfigReader.url(text)));
                case DIALECT ->
                    changeOnlyUpstream(upstream -> upstream.withDialects(Arrays.stream(text.split(","))
                            .map(String::strip)
                            .map(ConfigReader::dialect)
                            .toList()));
                case MODEL -> changeOnlyUpstream(upstream -> upstream.withModel(text));
                case TRANSPORT -> draft.transport = Transport.named(text);
                case EVENT_LOOPS -> {
                    int eventLoops = Section.toInt(text);
                    Checks.range("eventLoops", eventLoops, 0, 1024);
                    draft.eventLoops = eventLoops;
                }
                case ACCESS_LOG -> draft.accessLog = draft.accessLog.withFormat(ConfigReader.accessLogFormat(text));
                case CORS -> {
                    draft.cors = draft.cors.withOrigins(
                            Arrays.stream(text.split(",")).map(String::strip).toList());
                    draft.corsSource = source;
                }
                case ALLOW_OPEN -> draft.allowOpen = Section.toBoolean(text);
                case PAGE -> draft.ownPaths = draft.ownPaths.withPage(Section.toBoolean(text));
                case DRAIN -> setTimeout(Timeouts::withDrain, text);
                case SHUTDOWN_DELAY -> setTimeout(Timeouts::withShutdownDelay, text);
            }
        } catch (IllegalArgumentException e) {
            // The flag says already which setting it is.
            problems.add(source, e.getMessage().replaceFirst("^(url|transport|eventLoops|origins): ", ""));
        }
    }

    private void changeOnlyUpstream(UnaryOperator<Upstream> change) {
        if (draft.upstreams.size() > 1) {
            throw new IllegalArgumentException(
                    "there are " + draft.upstreams.size() + " upstreams (expected: one, such as by --upstream)");
        }
        draft.upstreams.replaceAll((name, upstream) -> change.apply(upstream));
    }

    private void setTimeout(BiFunction<Timeouts, Duration, Timeouts> change, String text) {
        var time = Quantities.duration(text);
        draft.timeouts = change.apply(draft.timeouts, time);
        draft.routes.replaceAll(route -> route.withTimeouts(change.apply(route.timeouts(), time)));
    }

    /** Something else sends clients here, and asks now and then whether it may. */
    private boolean isOrchestrated() {
        return ORCHESTRATORS.stream().anyMatch(sources.environment()::containsKey);
    }
}
