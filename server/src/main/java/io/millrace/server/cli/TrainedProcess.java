package io.millrace.server.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A relay on the same JVM and with the same flags as this process. When it ends, it writes what it has learned. */
final class TrainedProcess implements AutoCloseable {
    private static final Pattern READY = Pattern.compile(" listening on (http://[^,\\s]+), (https://\\S+)");
    private static final long START_LIMIT_S = 120;
    private static final long END_LIMIT_S = 300;
    private static final int LINES_KEPT = 20;
    /** The first JDK with an AOT cache. Older ones have a class data archive. */
    private static final int FIRST_WITH_AOT = 25;

    private final Process process;
    private final Path made;
    private final CompletableFuture<Addresses> ready = new CompletableFuture<>();
    private final Deque<String> lastLines = new ArrayDeque<>();
    private final Thread reader;

    private TrainedProcess(Process process, Path made) {
        this.process = process;
        this.made = made;
        reader = new Thread(this::read, "trained");
        reader.setDaemon(true);
        reader.start();
    }

    /** Where it listens: in the clear, and with TLS. */
    record Addresses(URI plain, URI tls) {}

    /**
     * Starts {@code serve} with the configuration, which has a listener in the clear and one with TLS.
     *
     * @param made where the file is to be written
     * @throws IOException if it cannot be started
     */
    static TrainedProcess start(Path made, Path config) throws IOException {
        var command = new ArrayList<String>();
        command.add(ProcessHandle.current().info().command().orElse(System.getProperty("java.home") + "/bin/java"));
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (!flag.startsWith("-XX:AOT") && !flag.startsWith("-XX:SharedArchiveFile")) {
                command.add(flag);
            }
        }
        command.add((Runtime.version().feature() < FIRST_WITH_AOT ? "-XX:ArchiveClassesAtExit=" : "-XX:AOTCacheOutput=")
                + made);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Millrace.class.getName()));
        command.addAll(List.of("serve", config.toString()));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("MILLRACE_"));
        builder.environment().put("MILLRACE_WARM_UP", "off");
        return new TrainedProcess(builder.start(), made);
    }

    /**
     * Waits until it listens, and returns its addresses.
     *
     * @throws IllegalStateException if it does not come up
     */
    Addresses addresses() throws InterruptedException {
        try {
            return ready.get(START_LIMIT_S, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw failure("did not start");
        }
    }

    /**
     * Ends it and waits until it has written its file.
     *
     * @throws IllegalStateException if it is not
     */
    void finish() throws InterruptedException {
        process.toHandle().destroy(); // unlike Process.destroy(), this does not close its output
        if (!process.waitFor(END_LIMIT_S, TimeUnit.SECONDS) || !Files.isRegularFile(made)) {
            throw failure("wrote nothing");
        }
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private void read() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher matcher = READY.matcher(line);
                if (matcher.find()) {
                    ready.complete(new Addresses(URI.create(matcher.group(1)), URI.create(matcher.group(2))));
                }
                if (!line.startsWith("{")) { // the access log
                    keep(line);
                }
            }
        } catch (IOException e) {
            keep(e.toString());
        } finally {
            ready.completeExceptionally(new IllegalStateException("ended"));
        }
    }

    private void keep(String line) {
        synchronized (lastLines) {
            lastLines.add(line);
            if (lastLines.size() > LINES_KEPT) {
                lastLines.remove();
            }
        }
    }

    private IllegalStateException failure(String what) throws InterruptedException {
        close();
        reader.join(TimeUnit.SECONDS.toMillis(1));
        synchronized (lastLines) {
            return new IllegalStateException(
                    "the relay to be trained " + what + ":" + System.lineSeparator() + String.join("\n", lastLines));
        }
    }
}
