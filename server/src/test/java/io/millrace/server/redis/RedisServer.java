package io.millrace.server.redis;

import static org.awaitility.Awaitility.await;

import io.millrace.server.test.FreePort;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs Debian's {@code redis-server} on a free port of this machine. It keeps nothing on disk. */
public final class RedisServer implements AutoCloseable {
    private final Path directory;
    private final List<String> settings;
    private final int port;
    private Process process;

    private RedisServer(Path directory, List<String> settings, int port) {
        this.directory = directory;
        this.settings = settings;
        this.port = port;
    }

    /**
     * Starts it with further {@code settings}, such as {@code --requirepass}. {@code PORT} in them stands for its port.
     */
    public static RedisServer start(Path directory, String... settings) throws IOException {
        int port = FreePort.any();
        var its = new ArrayList<>(List.of("--bind", "127.0.0.1", "--save", "", "--dir", directory.toString()));
        if (!List.of(settings).contains("--port")) {
            its.addAll(List.of("--port", "PORT"));
        }
        its.addAll(List.of(settings));
        its.replaceAll(text -> text.replace("PORT", Integer.toString(port)));
        var server = new RedisServer(directory, its, port);
        server.start();
        return server;
    }

    /** Starts it again at the same port, empty. */
    public void start() throws IOException {
        var command = new ArrayList<>(List.of("redis-server"));
        command.addAll(settings);
        Path log = directory.resolve("redis.log");
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        await().until(() -> !process.isAlive() || Files.readString(log).contains("eady to accept connections"));
        if (!process.isAlive()) {
            throw new IOException("redis-server has ended: " + Files.readString(log));
        }
    }

    public int port() {
        return port;
    }

    /** The first line of the answer. */
    public String command(String text) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write((text + "\r\n").getBytes(StandardCharsets.US_ASCII));
            var line = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            return String.valueOf(line.readLine());
        }
    }

    /** All that it answers to these lines. */
    public String answers(String... lines) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            String text = String.join("\r\n", lines) + "\r\nQUIT\r\n";
            socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    /** From now on it accepts connections but answers nothing. */
    public void pause() throws Exception {
        signal("STOP");
    }

    public void resume() throws Exception {
        signal("CONT");
    }

    private void signal(String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public void close() {
        kill();
    }
}
