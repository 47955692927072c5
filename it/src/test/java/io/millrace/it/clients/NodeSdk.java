package io.millrace.it.clients;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** An SDK on Node, driven by its script in {@code clients-node}. One process runs all scenarios. */
final class NodeSdk implements Sdk {
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();
    private static final Path CLIENTS = Path.of(System.getProperty("basedir", "."), "clients-node");
    private static final long LIMIT_MINUTES = 5;

    private final String driver;

    /** The SDK with this script, such as {@code openai.mjs}. */
    NodeSdk(String driver) {
        this.driver = driver;
    }

    @Override
    public Map<String, Seen> run(List<Scenario> scenarios) {
        var seen = new LinkedHashMap<String, Seen>();
        for (var one : run(scenarios, Seen.class)) {
            seen.put(one.name(), one);
        }
        return seen;
    }

    /** Passes {@code scenarios} to the script as JSON, and reads its result for each as {@code type}. */
    <T> List<T> run(List<?> scenarios, Class<T> type) {
        try {
            return start(scenarios, type);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + driver + " ran", e);
        }
    }

    private <T> List<T> start(List<?> scenarios, Class<T> type) throws IOException, InterruptedException {
        var output = Files.createTempFile("millrace-it-", ".jsonl");
        var errors = Files.createTempFile("millrace-it-", ".err");
        try {
            var process = new ProcessBuilder(node().toString(), driver)
                    .directory(CLIENTS.toFile())
                    .redirectOutput(output.toFile())
                    .redirectError(errors.toFile())
                    .start();
            try (var input = process.getOutputStream()) {
                input.write(JSON.writeValueAsBytes(scenarios));
            }
            if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IllegalStateException(driver + " did not end within " + LIMIT_MINUTES + " minutes");
            }
            if (process.exitValue() != 0) {
                throw new IllegalStateException(
                        driver + " exited with " + process.exitValue() + ": " + Files.readString(errors));
            }
            return parse(Files.readAllLines(output, StandardCharsets.UTF_8), type);
        } finally {
            Files.delete(output);
            Files.delete(errors);
        }
    }

    private static <T> List<T> parse(List<String> lines, Class<T> type) throws JsonProcessingException {
        var seen = new ArrayList<T>();
        for (var line : lines) {
            seen.add(JSON.readValue(line, type));
        }
        return seen;
    }

    /**
     * The packaged Node of a fixed version. If there is none for this machine, the Node on the path, which must not be
     * older.
     */
    private static Path node() {
        var installed = CLIENTS.resolve("node_modules/.installed-lock.json");
        if (!Files.exists(installed)) {
            throw new IllegalStateException("The client SDKs are not installed: run scripts/setup-it");
        }
        var locked = CLIENTS.resolve("node_modules/.bin/node").toAbsolutePath();
        return Files.isExecutable(locked) ? locked : Path.of("node");
    }
}
