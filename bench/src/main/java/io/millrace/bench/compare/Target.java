package io.millrace.bench.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A process that listens on a port of 127.0.0.1. It has a directory of its own, which {@link #close} removes. */
final class Target implements AutoCloseable {
    private static final long STOP_LIMIT_SECONDS = 10;

    private final Peer peer;
    private final int port;
    private final int tlsPort;
    private final Process process;
    private final Path directory;

    Target(Peer peer, int port, int tlsPort, Process process, Path directory) {
        this.peer = peer;
        this.port = port;
        this.tlsPort = tlsPort;
        this.process = process;
        this.directory = directory;
    }

    Peer peer() {
        return peer;
    }

    int port() {
        return port;
    }

    /** The port for TLS, if it has one. */
    int tlsPort() {
        return tlsPort;
    }

    InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** The ids of its processes. */
    List<Long> pids() {
        return Proc.tree(process.toHandle());
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** The last lines of its output, for people. */
    String lastWords() {
        try {
            var lines = Files.readAllLines(directory.resolve(Launcher.OUTPUT));
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 10), lines.size()));
        } catch (IOException e) {
            return "(no output: " + e.getMessage() + ")";
        }
    }

    /** Ends its processes and removes its files. */
    @Override
    public void close() {
        var workers = process.descendants().toList();
        process.destroy();
        try {
            if (!process.waitFor(STOP_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        workers.forEach(ProcessHandle::destroyForcibly);
        delete(directory);
    }

    /** Removes a directory with its content. Prints what it cannot remove. */
    static void delete(Path directory) {
        try (var files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException | UncheckedIOException e) {
            System.err.println("compare: " + directory + " stays: " + e.getMessage());
        }
    }
}
