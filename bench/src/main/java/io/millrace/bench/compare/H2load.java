package io.millrace.bench.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A load that h2load (nghttp2) puts on a target. {@link #close} ends it if it is still running. */
final class H2load implements AutoCloseable {
    /** How often each stream is repeated if the number of requests is given. */
    private static final int REPEATS = 2;

    /** A load of a given time goes on for this long after the measured window. */
    private static final Duration MARGIN = Duration.ofMillis(500);

    private static final long LIMIT_SECONDS = 20;
    private static final int RAMP_STEP_MS = 100;
    private static final String CIPHER = "TLS_AES_128_GCM_SHA256";
    private static final Pattern REQUESTS =
            Pattern.compile("requests: (\\d+) total, .* (\\d+) done, (\\d+) succeeded,");

    private final Process process;
    private final Path output;
    private final boolean timed;

    private H2load(Process process, Path output, boolean timed) {
        this.process = process;
        this.output = output;
        this.timed = timed;
    }

    /** Starts h2load. Its files are in {@code directory}. */
    static H2load start(EdgeScenario scenario, Target target, Path directory) throws IOException {
        Path output = directory.resolve("h2load.log");
        var process = new ProcessBuilder(command(scenario, target, directory))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        return new H2load(process, output, scenario.load().separate());
    }

    private static List<String> command(EdgeScenario scenario, Target target, Path directory) throws IOException {
        var load = scenario.load();
        var protocol = scenario.protocol();
        int connections = protocol.connections(load.streams());
        Path body = directory.resolve("request.json");
        Files.writeString(
                body, "{\"model\":\"mock\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}");
        var command = new ArrayList<>(List.of("h2load", "-t1", "-c" + connections));
        command.add("-m" + load.streams() / connections);
        command.addAll(amount(load, connections));
        command.add(protocol == ClientProtocol.HTTP2_TLS ? "--npn-list=h2" : "--h1");
        command.add("--tls13-ciphers=" + CIPHER);
        command.addAll(List.of("-d", body.toString(), "-H", "content-type: application/json"));
        command.addAll(List.of("-H", "x-mock: " + load.spec()));
        command.add((protocol.tls() ? "https://127.0.0.1:" + target.tlsPort() : "http://127.0.0.1:" + target.port())
                + "/v1/chat/completions");
        return command;
    }

    /**
     * The arguments for the amount: as much as possible in a time, or a number of streams whose connections open over
     * the ramp.
     */
    private static List<String> amount(Scenario load, int connections) {
        var times = load.times();
        if (load.separate()) {
            Duration all =
                    times.ramp().plus(times.warmUp()).plus(times.window()).plus(MARGIN);
            return List.of("-D" + all.toMillis() + "ms");
        }
        long steps = Math.max(1, times.ramp().toMillis() / RAMP_STEP_MS);
        return List.of(
                "-n" + REPEATS * load.streams(),
                "-r" + Math.max(1, connections / steps),
                "--rate-period=" + RAMP_STEP_MS + "ms");
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Waits for its end. Returns how many streams were lost. */
    long await() throws IOException, InterruptedException {
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new IOException("h2load does not end:\n" + Files.readString(output));
        }
        return lost(Files.readString(output), timed);
    }

    /**
     * How many streams were lost, from the output of h2load.
     *
     * @param timed whether its time was given; then some streams were in progress at the end, and these are not lost
     */
    static long lost(String output, boolean timed) throws IOException {
        var numbers = REQUESTS.matcher(output);
        if (!numbers.find()) {
            throw new IOException("h2load does not say how many requests succeeded:\n" + output);
        }
        long all = Long.parseLong(numbers.group(timed ? 2 : 1));
        return all - Long.parseLong(numbers.group(3));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
