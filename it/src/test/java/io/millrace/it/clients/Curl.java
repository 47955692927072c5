package io.millrace.it.clients;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * The output of one run of {@code curl}.
 *
 * @param exit its exit code: 0 for a whole response
 * @param statusLine of the response
 * @param headers by lower-case name
 * @param frames of the body, each with its blank line; the tail is what follows the last
 * @param tail bytes after the last blank line
 */
record Curl(int exit, String statusLine, Map<String, String> headers, List<Frame> frames, String tail) {
    /** Exit code for a connection that failed during the body. */
    static final int RECEIVE_ERROR = 56;

    private static final long LIMIT_SECONDS = 30;

    /**
     * A frame, and the time when curl printed its last byte.
     *
     * @param text with its blank line
     * @param atNanos on the clock of {@link System#nanoTime}
     */
    record Frame(String text, long atNanos) {}

    /** Runs {@code curl -sSiN} with {@code arguments} to its end. */
    static Curl run(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("curl", "-sSiN", "--max-time", "20"));
        command.addAll(List.of(arguments));
        var process = new ProcessBuilder(command).redirectErrorStream(false).start();
        process.getOutputStream().close();
        var reader = new Reader();
        var input = process.getInputStream();
        var buffer = new byte[16 * 1024];
        for (int n = input.read(buffer); n >= 0; n = input.read(buffer)) {
            reader.read(new String(buffer, 0, n, StandardCharsets.ISO_8859_1), System.nanoTime());
        }
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException("curl did not end: " + command);
        }
        return reader.result(process.exitValue());
    }

    /** Posts JSON. */
    static Curl post(String url, String json, String... more) throws IOException, InterruptedException {
        var arguments = new ArrayList<>(List.of(url, "-H", "Content-Type: application/json", "-d", json));
        arguments.addAll(List.of(more));
        return run(arguments.toArray(String[]::new));
    }

    /** The whole body. */
    String body() {
        var body = new StringBuilder();
        frames.forEach(frame -> body.append(frame.text()));
        return body.append(tail).toString();
    }

    private static final class Reader {
        private static final String END_OF_HEAD = "\r\n\r\n";

        private final Map<String, String> headers = new TreeMap<>();
        private final List<Frame> frames = new ArrayList<>();
        private final StringBuilder pending = new StringBuilder();
        private String statusLine = "";

        void read(String text, long nanos) {
            pending.append(text);
            if (statusLine.isEmpty() && !readHead()) {
                return;
            }
            for (int end = endOfFrame(); end >= 0; end = endOfFrame()) {
                frames.add(new Frame(pending.substring(0, end), nanos));
                pending.delete(0, end);
            }
        }

        private boolean readHead() {
            int end = pending.indexOf(END_OF_HEAD);
            if (end < 0) {
                return false;
            }
            var lines = pending.substring(0, end).split("\r\n", -1);
            statusLine = lines[0];
            for (int i = 1; i < lines.length; i++) {
                var colon = lines[i].indexOf(':');
                var name = lines[i].substring(0, colon).toLowerCase(Locale.ROOT);
                headers.merge(name, lines[i].substring(colon + 1).strip(), (a, b) -> a + ", " + b);
            }
            pending.delete(0, end + END_OF_HEAD.length());
            return true;
        }

        private int endOfFrame() {
            int lf = pending.indexOf("\n\n");
            int crlf = pending.indexOf("\r\n\r\n");
            if (crlf >= 0 && (lf < 0 || crlf < lf)) {
                return crlf + 4;
            }
            return lf < 0 ? -1 : lf + 2;
        }

        Curl result(int exit) {
            return new Curl(exit, statusLine, headers, frames, pending.toString());
        }
    }
}
