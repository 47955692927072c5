package io.millrace.bench.compare;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/** Connections that {@code handshakes.py} opens, one after another. */
enum Handshakes {
    /** Connections without TLS. They show the cost of everything but the handshake. */
    PLAIN("connections"),
    FULL("full handshakes"),
    /** Handshakes that resume a session of the target. */
    RESUMED("resumed handshakes");

    private final String label;

    Handshakes(String label) {
        this.label = label;
    }

    /** How many connections were opened, and how many of them resumed a session. */
    record Done(long connections, long resumed) {}

    /** The name for people. */
    String label() {
        return label;
    }

    /** Opens connections to the target for the given time. */
    Done run(Path configs, Target target, Duration time) throws IOException, InterruptedException {
        int port = this == PLAIN ? target.port() : target.tlsPort();
        var process = new ProcessBuilder(
                        Launcher.PYTHON,
                        configs.resolve("handshakes.py").toString(),
                        Integer.toString(port),
                        Double.toString(time.toMillis() / 1e3),
                        name().toLowerCase(Locale.ROOT))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(target.peer().label() + ", " + label + ":\n" + output);
        }
        String[] numbers = output.strip().split(" ", -1);
        return new Done(Long.parseLong(numbers[0]), Long.parseLong(numbers[1]));
    }
}
