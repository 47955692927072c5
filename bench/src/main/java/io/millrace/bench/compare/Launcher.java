package io.millrace.bench.compare;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Starts the mock and the targets on free ports of 127.0.0.1, each with the given number of threads. When this process
 * ends, it stops those that still run.
 */
final class Launcher {
    /** The file with standard output and error of a target. */
    static final String OUTPUT = "output.log";

    /** How often a start is tried. Another process may take the free port before the target binds it. */
    private static final int TRIES = 5;

    private static final long START_LIMIT_NS = TimeUnit.SECONDS.toNanos(30);
    private static final int POLL_MS = 20;
    /** A target that uses less processor time than this in a second is at rest. */
    private static final long REST_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private static final int MAX_STREAMS = 9900;
    private static final int MAX_SOCKETS = 20_000;
    static final String PYTHON = "/usr/bin/python3";

    private final Path millrace;
    private final Path configs;
    private final boolean warmUp;
    private final @Nullable Path before;
    private final @Nullable Path certificate;
    private final Set<Target> running = ConcurrentHashMap.newKeySet();

    /**
     * @param millrace the launcher of the distribution that is measured
     * @param configs the directory of the peers' configurations
     * @param warmUp whether Millrace does its usual warm-up; the launcher then waits for its end
     * @param before the launcher of another distribution, for {@link Peer#BEFORE}
     * @param certificate for targets that also listen over TLS; the file of its key has the same name with {@code .key}
     *     added
     */
    Launcher(Path millrace, Path configs, boolean warmUp, @Nullable Path before, @Nullable Path certificate) {
        this.millrace = millrace;
        this.configs = configs;
        this.warmUp = warmUp;
        this.before = before;
        this.certificate = certificate;
        Runtime.getRuntime().addShutdownHook(new Thread(() -> running.forEach(Target::close), "stop targets"));
    }

    /** Starts the mock, on one event loop. */
    Target startMock() throws IOException, InterruptedException {
        return start(Peer.DIRECT, 0, 1);
    }

    /** Starts a target in front of the mock at that port. */
    Target start(Peer peer, int mockPort, int threads) throws IOException, InterruptedException {
        String lastWords = "";
        for (int i = 0; i < TRIES; i++) {
            var target = launch(peer, mockPort, threads);
            running.add(target);
            if (awaitListening(target)) {
                if ((peer == Peer.MILLRACE || peer == Peer.BEFORE) && warmUp) {
                    awaitRest(target);
                }
                return target;
            }
            lastWords = target.lastWords();
            stop(target);
        }
        throw new IOException(peer.label() + " does not start:\n" + lastWords);
    }

    void stop(Target target) {
        target.close();
        running.remove(target);
    }

    /** The version of each peer, as the peer reports it. */
    Map<String, String> versions(Iterable<Peer> peers) throws IOException, InterruptedException {
        var versions = new LinkedHashMap<String, String>();
        for (var peer : peers) {
            versions.put(peer.label(), firstLine(versionCommand(peer)));
        }
        return versions;
    }

    private List<String> versionCommand(Peer peer) {
        return switch (peer) {
            case NGINX -> List.of("nginx", "-v");
            case HAPROXY -> List.of("haproxy", "-v");
            case CADDY -> List.of("caddy", "version");
            case FASTAPI ->
                List.of(
                        PYTHON,
                        "-c",
                        "import sys, fastapi, httpx, uvicorn; print('Python', sys.version.split()[0], 'fastapi',"
                                + " fastapi.__version__, 'httpx', httpx.__version__, 'uvicorn', uvicorn.__version__)");
            case DIRECT, MILLRACE, UNGUARDED -> List.of(millrace.toString(), "--version");
            case BEFORE -> List.of(String.valueOf(before), "--version");
        };
    }

    private Target launch(Peer peer, int mockPort, int threads) throws IOException {
        Path directory = Files.createTempDirectory("millrace-compare");
        // A worker without the rights of root must be able to read its files, too.
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        int port = freePort();
        int tlsPort = freePort();
        if (certificate != null) {
            Files.copy(certificate, directory.resolve("cert.pem"));
            Files.copy(
                    certificate.resolveSibling(certificate.getFileName() + ".key"), directory.resolve("cert.pem.key"));
        }
        var values = Map.of(
                "DIR", directory.toString(),
                "PORT", Integer.toString(port),
                "TLS_PORT", Integer.toString(tlsPort),
                "MOCK", Integer.toString(mockPort),
                "THREADS", Integer.toString(threads),
                "STREAMS", Integer.toString(Math.min(MAX_STREAMS, (Proc.descriptorLimit() - 150) / 2)),
                "SOCKETS", Integer.toString(Math.min(MAX_SOCKETS, Proc.descriptorLimit()) - 100));
        var command = command(peer, values);
        var builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(OUTPUT).toFile());
        setEnvironment(builder.environment(), values, warmUp);
        try {
            return new Target(peer, port, tlsPort, builder.start(), directory);
        } catch (IOException e) {
            Target.delete(directory);
            throw e;
        }
    }

    private List<String> command(Peer peer, Map<String, String> values) throws IOException {
        String directory = values.get("DIR");
        String address = "127.0.0.1:" + values.get("PORT");
        return switch (peer) {
            case DIRECT -> List.of(millrace.toString(), "mock", "--listen", address, "--event-loops", "1");
            case NGINX -> {
                if (certificate != null) {
                    file("nginx-tls.conf", values);
                }
                yield List.of(
                        "nginx", "-e", directory + "/early.log", "-p", directory, "-c", file("nginx.conf", values));
            }
            case HAPROXY -> {
                var haproxy = new ArrayList<>(List.of("haproxy", "-db", "-f", file("haproxy.cfg", values)));
                if (certificate != null) {
                    haproxy.addAll(List.of("-f", file("haproxy-tls.cfg", values)));
                }
                yield haproxy;
            }
            case CADDY -> List.of("caddy", "run", "--config", file("Caddyfile", values), "--adapter", "caddyfile");
            case FASTAPI -> uvicorn(values);
            case UNGUARDED ->
                List.of(millrace.toString(), "serve", file("unguarded.yaml", values), "--listen", address);
            case MILLRACE ->
                certificate == null
                        ? serve(millrace, values)
                        : List.of(millrace.toString(), "serve", file("millrace-tls.yaml", values));
            case BEFORE -> serve(Objects.requireNonNull(before), values);
        };
    }

    private static List<String> serve(Path millrace, Map<String, String> values) {
        return List.of(
                millrace.toString(),
                "serve",
                "--listen",
                "127.0.0.1:" + values.get("PORT"),
                "--upstream",
                "http://127.0.0.1:" + values.get("MOCK"),
                "--event-loops",
                values.get("THREADS"));
    }

    private List<String> uvicorn(Map<String, String> values) throws IOException {
        file("fastapi_proxy.py", values);
        var command = new ArrayList<>(List.of(PYTHON, "-m", "uvicorn", "fastapi_proxy:app"));
        command.addAll(List.of("--app-dir", values.get("DIR"), "--host", "127.0.0.1", "--port", values.get("PORT")));
        command.addAll(List.of("--loop", "uvloop", "--http", "httptools", "--backlog", "4096"));
        command.addAll(List.of("--log-level", "warning", "--no-access-log"));
        return command;
    }

    /** Removes the user's own settings of Millrace, except the flags of its JVM. */
    private static void setEnvironment(Map<String, String> environment, Map<String, String> values, boolean warmUp) {
        environment.keySet().removeIf(name -> name.startsWith("MILLRACE_") && !name.equals("MILLRACE_OPTS"));
        if (!warmUp) {
            environment.put("MILLRACE_WARM_UP", "off");
        }
        environment.put("GOMAXPROCS", values.get("THREADS"));
        environment.put("UPSTREAM", "http://127.0.0.1:" + values.get("MOCK"));
        // Caddy keeps its state in the home directory.
        environment.put("HOME", values.get("DIR"));
        environment.remove("XDG_DATA_HOME");
        environment.remove("XDG_CONFIG_HOME");
    }

    /** Copies a configuration to the target's directory and fills in the values. */
    private String file(String name, Map<String, String> values) throws IOException {
        String text = Files.readString(configs.resolve(name));
        for (var value : values.entrySet()) {
            text = text.replace('@' + value.getKey() + '@', value.getValue());
        }
        return Files.writeString(Path.of(values.get("DIR"), name), text).toString();
    }

    private static boolean awaitListening(Target target) throws InterruptedException {
        long startNs = System.nanoTime();
        while (target.isAlive() && System.nanoTime() - startNs < START_LIMIT_NS) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), target.port())) {
                // The port may belong to another process if the target could not bind it.
                if (socket.isConnected() && target.isAlive()) {
                    return true;
                }
            } catch (IOException e) {
                TimeUnit.MILLISECONDS.sleep(POLL_MS);
            }
        }
        return false;
    }

    /** Waits, for a limited time, until the target has finished its work after the start. */
    private static void awaitRest(Target target) throws InterruptedException {
        long startNs = System.nanoTime();
        long cpuNs = Proc.cpuNs(target.pids());
        long usedNs = REST_NS;
        while (usedNs >= REST_NS && System.nanoTime() - startNs < START_LIMIT_NS) {
            TimeUnit.SECONDS.sleep(1);
            long nowNs = Proc.cpuNs(target.pids());
            usedNs = nowNs - cpuNs;
            cpuNs = nowNs;
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String firstLine(List<String> command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output.lines().findFirst().orElse("unknown").strip();
    }
}
