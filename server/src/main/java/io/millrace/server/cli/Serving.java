package io.millrace.server.cli;

import io.millrace.server.RelayServer;
import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener.Served;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.config.file.ConfigException;
import io.millrace.server.config.file.ConfigLoader;
import io.millrace.server.config.file.ConfigSources;
import io.millrace.server.listen.Bound;
import io.millrace.server.listen.ControlSocket;
import io.millrace.server.listen.InheritedSockets;
import io.millrace.server.listen.TakeOver;
import io.millrace.server.warmup.WarmUp;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The relay as a process: it starts, prints where it listens, obeys signals, and drains before it ends. */
final class Serving {
    private static final Logger LOG = LoggerFactory.getLogger(Serving.class);

    /** The value {@code off} is for processes that live for seconds, such as those of tests. */
    private static final String WARM_UP_VARIABLE = "MILLRACE_WARM_UP";

    private static final String LOG_FORMAT_VARIABLE = "MILLRACE_LOG_FORMAT";

    private Serving() {}

    /**
     * Serves until the process is told to stop. Prints the addresses on {@code out}, or on {@code err} if {@code out}
     * is for JSON only, or nowhere if both are.
     */
    static void run(RelayArguments arguments, PrintWriter out, PrintWriter err) throws InterruptedException {
        var stop = StopSignal.install();
        String build = (Build.version() + " " + Build.commit()).strip();
        LOG.info("starting: millrace {}, JDK {}", build, Runtime.version());
        var manager = new ServiceManager(System.getenv());
        try (var mock = new EmbeddedMock()) {
            var sources = arguments.sources(System.getenv(), mock::uri);
            var config = ConfigLoader.load(sources);
            LineLog.install(config.accessLog());
            LineLog.install(config.telemetry().usageLog());
            try (var server = start(config, arguments.takeover());
                    var control = control(config, server, stop)) {
                server.metrics().lostLogLines(LineLog.ACCESS::lost, LineLog.USAGE::lost);
                server.metrics().build(Build.labels());
                if (control != null) {
                    LOG.info("another process may take over at {}", control.path());
                }
                var reloader = new Reloader(server, sources, config);
                Signals.on("HUP", reloader::reload);
                manager.ready();
                ready(server, config);
                // last: whoever waits for its line may send signals at once
                if (!printsJson(config)) {
                    announce(server, config, mock, out);
                } else if (!logsJson()) {
                    announce(server, config, mock, err);
                }
                var warmUp = warmUp(server, config);
                stop.await();
                warmUp.ifPresent(WarmUp::close);
                if (stop.isSignalled()) {
                    manager.stopping();
                    server.drain().join();
                } else {
                    CompletableFuture<Void> over = server.handOver();
                    stop.onSignalled(server::drain);
                    over.join();
                }
                LOG.info(
                        "stopped after {}: {} requests, {} of them event streams",
                        running(),
                        server.metrics().endedExchanges(),
                        server.metrics().endedStreams());
            }
        } finally {
            LineLog.stop();
        }
    }

    /** Starts with the sockets of the process that listens at {@code control}, or with those of a service manager. */
    private static RelayServer start(RelayConfig config, @Nullable Path control) {
        if (control == null) {
            var passed = InheritedSockets.ofServiceManager(
                    System.getenv(), ProcessHandle.current().pid());
            return start(config, passed);
        }
        try (var takeOver = TakeOver.of(control)) {
            RelayServer server = start(config, takeOver.sockets());
            try {
                takeOver.go();
            } catch (RuntimeException e) {
                server.close();
                throw e;
            }
            return server;
        }
    }

    private static RelayServer start(RelayConfig config, InheritedSockets inherited) {
        try {
            RelayServer server = RelayServer.start(config, inherited);
            if (!inherited.left().isEmpty()) {
                LOG.warn("no listener has these sockets, which are closed: {}", inherited.left());
            }
            return server;
        } finally {
            inherited.closeLeft();
        }
    }

    /** Opens the control socket for the next process; null if the configuration has none. */
    private static @Nullable ControlSocket control(RelayConfig config, RelayServer server, StopSignal stop) {
        return config.takeover() == null
                ? null
                : ControlSocket.open(config.takeover().path(), server.listeners(), stop::onTakenOver);
    }

    /** Compiles the code that handles a token before the first clients come, unless this is switched off. */
    private static Optional<WarmUp> warmUp(RelayServer server, RelayConfig config) {
        return "off".equals(System.getenv(WARM_UP_VARIABLE))
                ? Optional.empty()
                : Optional.of(WarmUp.start(config, () -> server.metrics().activeExchanges() != 0));
    }

    /** Whether each line on standard error is JSON. */
    private static boolean logsJson() {
        return "json".equals(System.getenv(LOG_FORMAT_VARIABLE));
    }

    private static void ready(RelayServer server, RelayConfig config) {
        String addresses = server.listeners().stream().map(Serving::url).collect(Collectors.joining(", "));
        LOG.info(
                "ready after {}: {}, upstreams {}",
                running(),
                addresses,
                String.join(", ", config.upstreams().keySet()));
    }

    /** The age of the process, such as {@code 800 ms} or {@code 90 s}. */
    private static String running() {
        long ms = ManagementFactory.getRuntimeMXBean().getUptime();
        return ms < 10_000 ? ms + " ms" : ms / 1000 + " s";
    }

    private static boolean printsJson(RelayConfig config) {
        return config.accessLog().format() == AccessLog.Format.JSON
                && config.accessLog().file() == null;
    }

    private static void announce(RelayServer server, RelayConfig config, EmbeddedMock mock, PrintWriter out) {
        String addresses = server.listeners().stream().map(Serving::url).collect(Collectors.joining(", "));
        String upstreams = config.upstreams().values().stream()
                .map(upstream -> mock.isRunning() ? "embedded mock LLM" : upstream.name() + " " + upstream.url())
                .collect(Collectors.joining(", "));
        out.println("millrace " + Build.version() + " listening on " + addresses + " -> " + upstreams);
        if (mock.isRunning()) {
            out.println("No upstream is configured and no provider key is set: a mock LLM answers. Try:");
            out.println();
            String local = server.listeners().stream()
                    .filter(bound -> bound.listener().serves().contains(Served.RELAY))
                    .findFirst()
                    .map(Serving::curl)
                    .orElse("");
            out.println(
                    "    curl -N " + local
                            + "/v1/chat/completions -H 'Content-Type: application/json' -d"
                            + " '{\"model\":\"mock\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'");
            out.println();
            if (config.ownPaths().page() && local.startsWith("http:")) {
                out.println("or open " + local + "/ in a browser.");
                out.println();
            }
        }
        out.flush();
    }

    /** An address at which curl on this machine finds the listener. */
    private static String curl(Bound bound) {
        return bound.address() instanceof HostAndPort tcp
                ? scheme(bound) + "localhost:" + tcp.port()
                : "--unix-socket " + ((UnixPath) bound.address()).path() + " http://localhost";
    }

    private static String scheme(Bound bound) {
        return bound.listener().tls() == null ? "http://" : "https://";
    }

    private static String url(Bound bound) {
        return bound.address() instanceof HostAndPort
                ? scheme(bound) + bound.address()
                : bound.address().toString();
    }

    /** Reads the configuration again and uses it, or keeps the old one. */
    private static final class Reloader {
        private static final Duration LOOPS_LIMIT = Duration.ofSeconds(5);

        private final RelayServer server;
        private final ConfigSources sources;
        private RelayConfig current;

        Reloader(RelayServer server, ConfigSources sources, RelayConfig current) {
            this.server = server;
            this.sources = sources;
            this.current = current;
        }

        synchronized void reload() {
            long beganNs = System.nanoTime();
            boolean taken = false;
            try {
                reopenLogs();
                var config = ConfigLoader.load(sources);
                checkStillClosed(config);
                installLogs(config, true);
                var kept = server.reload(config);
                awaitReloaded();
                installLogs(config, false);
                current = config;
                taken = true;
                LOG.info("configuration reloaded");
                if (!kept.isEmpty()) {
                    LOG.warn("only a restart changes {}", String.join(", ", kept));
                }
            } catch (ConfigException e) {
                e.problems().forEach(problem -> LOG.error("{}", problem));
                LOG.error("configuration not reloaded: the old one stays");
            } catch (RuntimeException e) {
                LOG.error("configuration not reloaded: the old one stays", e);
            } finally {
                server.metrics().onReload(taken, System.nanoTime() - beganNs);
            }
        }

        /** Installs the changed logs that are on, or those that are off. */
        private void installLogs(RelayConfig config, boolean on) {
            AccessLog access = config.accessLog();
            if (!access.equals(current.accessLog()) && on == (access.format() != AccessLog.Format.OFF)) {
                LineLog.install(access);
            }
            UsageLog usage = config.telemetry().usageLog();
            if (!usage.equals(current.telemetry().usageLog()) && on == usage.on()) {
                LineLog.install(usage);
            }
        }

        /** Event loops pass on the last lines of a log that ends. */
        private void awaitReloaded() {
            try {
                if (!server.awaitReloaded(LOOPS_LIMIT)) {
                    LOG.warn("an event loop is busy and has not taken over the configuration yet");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /** Their files may have been rotated. That neither waits for the new configuration nor needs it. */
        private void reopenLogs() {
            try {
                if (current.accessLog().file() != null) {
                    LineLog.install(current.accessLog());
                }
                LineLog.install(current.telemetry().usageLog());
            } catch (IllegalArgumentException e) {
                LOG.error("{}", e.getMessage());
            }
        }

        /** The listeners stay as they are, so the configuration's own check of addresses is not enough. */
        private void checkStillClosed(RelayConfig config) {
            List<ListenAddress> open = server.listeners().stream()
                    .filter(bound -> bound.listener().spendsKeys())
                    .map(Bound::address)
                    .filter(address -> !address.isLocal())
                    .toList();
            if (!open.isEmpty() && config.mustBeClosed() && !config.allowOpen()) {
                throw new IllegalArgumentException("keys would be served on " + open + ", where the relay listens"
                        + " (expected: keys for clients, --allow-open, or a restart on loopback)");
            }
        }
    }
}
