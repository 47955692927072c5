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

/** A program that drives an SDK: it reads scenarios as JSON from its standard input, and writes a line about each. */
final class DriverProcess {
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();
    private static final long LIMIT_MINUTES = 5;

    private final Path program;
    private final Path directory;
    private final String driver;

    /** {@code program} runs {@code driver} in {@code directory}. */
    DriverProcess(Path program, Path directory, String driver) {
        this.program = program;
        this.directory = directory;
        this.driver = driver;
    }

    /** By the scenario's name. */
    Map<String, Seen> run(List<Scenario> scenarios) {
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
            var process = new ProcessBuilder(program.toString(), driver)
                    .directory(directory.toFile())
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
}
