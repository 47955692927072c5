package io.millrace.it.browser;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Headless Chromium as Debian installs it. It starts for the first test that needs it, and ends after the last one. */
final class Chromium implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final List<String> COMMAND = List.of(
            "chromium",
            "--headless",
            // Chromium has no sandbox for root. The tests open only their own pages.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-extensions",
            "--disable-features=SpareRendererForSitePerProcess,Translate,MediaRouter",
            "--renderer-process-limit=1",
            "--disable-sync",
            "--no-first-run",
            "--no-default-browser-check",
            // Tests make a new certificate authority in each run.
            "--ignore-certificate-errors",
            "--remote-debugging-port=0");

    private final Path profile;
    private final Process process;
    private final DevTools devTools;
    private final Tab tab;

    private Chromium() throws IOException {
        profile = Files.createTempDirectory("millrace-chromium-");
        var log = profile.resolve("chromium.log").toFile();
        process = new ProcessBuilder(command(profile))
                .redirectErrorStream(true)
                .redirectOutput(log)
                .start();
        Path port = profile.resolve("DevToolsActivePort");
        Awaitility.await("Chromium to start, see " + log)
                .atMost(LIMIT)
                .pollInterval(Duration.ofMillis(20))
                .until(() ->
                        !process.isAlive() || (Files.exists(port) && lines(port).size() == 2));
        if (!process.isAlive()) {
            throw new IllegalStateException("Chromium ended at once: " + Files.readString(log.toPath()));
        }
        devTools = new DevTools(
                URI.create("ws://127.0.0.1:" + lines(port).get(0) + lines(port).get(1)));
        tab = new Tab(devTools);
    }

    private static List<String> command(Path profile) {
        var command = new ArrayList<>(COMMAND);
        command.add("--user-data-dir=" + profile);
        command.add("about:blank");
        return command;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The only tab, which has loaded {@code url}. */
    Tab open(String url) {
        tab.load(url);
        return tab;
    }

    @Override
    public void close() {
        devTools.close();
        process.destroy();
        process.onExit().orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS).join();
        // Child processes may still be writing there.
        Awaitility.await().atMost(LIMIT).ignoreExceptions().until(() -> {
            try (var files = Files.walk(profile)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
            return !Files.exists(profile);
        });
    }

    /** Gives tests the shared browser. */
    static final class Parameter implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Chromium.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return context.getRoot()
                    .getStore(ExtensionContext.Namespace.GLOBAL)
                    .getOrComputeIfAbsent(Chromium.class, key -> start(), Chromium.class);
        }

        private static Chromium start() {
            try {
                return new Chromium();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
