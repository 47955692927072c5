package io.millrace.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotatingFileTest {
    private static final Clock NOON = Clock.fixed(Instant.parse("2026-11-30T12:00:00.25Z"), ZoneOffset.UTC);

    @TempDir
    private Path directory;

    @Test
    void keepsEachLineInOneOfItsFiles() throws IOException {
        Path file = directory.resolve("new/usage.jsonl");
        List<String> lines = IntStream.range(0, 50).mapToObj(i -> "line " + i).toList();
        for (List<String> half : List.of(lines.subList(0, 25), lines.subList(25, 50))) {
            try (var out = new RotatingFile(file, 100, NOON)) {
                for (String line : half) {
                    out.write((line + "\n").getBytes(UTF_8));
                }
            }
        }
        var found = new ArrayList<String>();
        for (Path each : files(file.getParent())) {
            assertThat(Files.size(each)).isLessThanOrEqualTo(100);
            found.addAll(Files.readAllLines(each));
        }
        assertThat(found).containsExactlyInAnyOrderElementsOf(lines);
        assertThat(file.resolveSibling("usage.jsonl.20261130T120000.250Z")).exists();
        assertThat(file.resolveSibling("usage.jsonl.20261130T120000.250Z-3")).exists();
    }

    @Test
    void growsWithoutALimitAndTakesALineThatIsLongerThanIt() throws IOException {
        Path file = directory.resolve("usage.jsonl");
        try (var out = new RotatingFile(file, 0, NOON)) {
            out.write(new byte[10_000]);
            out.write(new byte[10_000]);
        }
        try (var out = new RotatingFile(directory.resolve("small"), 10, NOON)) {
            out.write(new byte[100]);
        }
        assertThat(files(directory)).hasSize(2);
    }

    @Test
    void goesOnWhereAnotherProgramHasMovedTheFile() throws IOException {
        Path file = directory.resolve("usage.jsonl");
        try (var out = new RotatingFile(file, 10, NOON)) {
            out.write("12345678\n".getBytes(UTF_8));
            Files.move(file, directory.resolve("moved"));
            out.write("abc\n".getBytes(UTF_8));
        }
        assertThat(file).content().isEqualTo("abc\n");
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }
}
