package io.millrace.it.edge;

import static org.awaitility.Awaitility.await;

import io.millrace.server.test.FreePort;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A real proxy in front of the relay, or behind it. It is a process of its own, on a free port of 127.0.0.1. Its files
 * are in a directory of its own, which is deleted with it. The packages come from {@code scripts/setup-it}; a missing
 * package is a failure.
 */
final class Intermediary implements AutoCloseable {
    /** The port is free when it is chosen. Another process may take it before the proxy binds it. */
    private static final int TRIES = 5;

    /** The proxy's own default. */
    private static final Duration NGINX_READ_TIMEOUT = Duration.ofSeconds(60);

    /** Debian's. */
    private static final Duration HAPROXY_READ_TIMEOUT = Duration.ofSeconds(50);

    private static final Duration START_LIMIT = Duration.ofSeconds(20);
    private static final long STOP_LIMIT_SECONDS = 10;
    /** The directory where Debian puts daemons. It is not on every user's path. */
    private static final String MORE_PATH = File.pathSeparator + "/usr/sbin" + File.pathSeparator + "/usr/local/sbin";

    private final Path directory;
    private final Process process;
    private final int port;

    private Intermediary(Path directory, Process process, int port) {
        this.directory = directory;
        this.process = process;
        this.port = port;
    }

    /** nginx with Debian's settings; {@code /header-off/} is the same without the relay's {@code X-Accel-Buffering}. */
    static Intermediary nginx(int relayPort) throws IOException {
        return nginx(relayPort, NGINX_READ_TIMEOUT);
    }

    /** The same proxy with this limit for the next byte from the server behind it. */
    static Intermediary nginx(int relayPort, Duration readTimeout) throws IOException {
        return nginx("nginx.conf", relayPort, readTimeout);
    }

    /** nginx with good and bad settings, each under a path of its own. */
    static Intermediary patientNginx(int relayPort) throws IOException {
        return nginx("nginx-patient.conf", relayPort, Duration.ofSeconds(1));
    }

    private static Intermediary nginx(String template, int relayPort, Duration readTimeout) throws IOException {
        String binary = binary("nginx");
        return start(template, relayPort, readTimeout, files -> {
            var early = files.resolveSibling("early.log").toString();
            return List.of(binary, "-e", early, "-p", files.getParent().toString(), "-c", files.toString());
        });
    }

    /** HAProxy with Debian's settings and {@code option http-no-delay}. */
    static Intermediary haproxy(int relayPort) throws IOException {
        return haproxy(relayPort, HAPROXY_READ_TIMEOUT);
    }

    /** The same proxy with this limit for the next byte from the server behind it. */
    static Intermediary haproxy(int relayPort, Duration readTimeout) throws IOException {
        String binary = binary("haproxy");
        return start("haproxy.cfg", relayPort, readTimeout, file -> List.of(binary, "-db", "-f", file.toString()));
    }

    /** HAProxy without {@code option http-no-delay}, as many installations have it. */
    static Intermediary delayingHaproxy(int relayPort) throws IOException {
        String binary = binary("haproxy");
        return start(
                "haproxy-delaying.cfg",
                relayPort,
                HAPROXY_READ_TIMEOUT,
                file -> List.of(binary, "-db", "-f", file.toString()));
    }

    /** Caddy without special settings. */
    static Intermediary caddy(int relayPort) throws IOException {
        String binary = binary("caddy");
        return start(
                "Caddyfile",
                relayPort,
                Duration.ZERO,
                file -> List.of(binary, "run", "--config", file.toString(), "--adapter", "caddyfile"));
    }

    /** The address for clients. */
    int port() {
        return port;
    }

    @Override
    public void close() throws IOException {
        stop(process);
        delete(directory);
    }

    private static Intermediary start(
            String template, int relayPort, Duration readTimeout, Function<Path, List<String>> command)
            throws IOException {
        String log = "";
        for (int i = 0; i < TRIES; i++) {
            Path directory = Files.createTempDirectory("millrace-edge");
            // A worker without root's rights must still be able to read its files.
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            int port = FreePort.any();
            Path file = directory.resolve(template);
            Files.writeString(
                    file,
                    resource(template)
                            .replace("@DIR@", directory.toString())
                            .replace("@PORT@", Integer.toString(port))
                            .replace("@READ_TIMEOUT_MS@", Long.toString(readTimeout.toMillis()))
                            .replace("@RELAY@", Integer.toString(relayPort)));
            Process process = launch(directory, command.apply(file));
            await(template)
                    .atMost(START_LIMIT)
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> !process.isAlive() || connects(port));
            if (process.isAlive()) {
                return new Intermediary(directory, process, port);
            }
            log = Files.readString(directory.resolve("output.log"));
            delete(directory);
        }
        throw new IllegalStateException(template + ": does not start:\n" + log);
    }

    private static Process launch(Path directory, List<String> command) throws IOException {
        var builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output.log").toFile());
        // Caddy keeps its state at home.
        builder.environment().put("HOME", directory.toString());
        builder.environment().remove("XDG_DATA_HOME");
        builder.environment().remove("XDG_CONFIG_HOME");
        return builder.start();
    }

    private static String binary(String name) {
        String path = System.getenv().getOrDefault("PATH", "") + MORE_PATH;
        for (String directory : path.split(File.pathSeparator, -1)) {
            Path file = Path.of(directory, name);
            if (Files.isExecutable(file)) {
                return file.toString();
            }
        }
        throw new IllegalStateException(name + " is not installed: run scripts/setup-it");
    }

    private static String resource(String name) throws IOException {
        try (var in = Intermediary.class.getResourceAsStream("/edge/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static boolean connects(int port) {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private static void stop(Process process) {
        var workers = process.descendants().toList();
        process.destroy();
        try {
            if (!process.waitFor(STOP_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                workers.forEach(ProcessHandle::destroyForcibly);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            workers.forEach(ProcessHandle::destroyForcibly);
            Thread.currentThread().interrupt();
        }
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder()).forEach(Intermediary::deleteOne);
        }
    }

    private static void deleteOne(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
