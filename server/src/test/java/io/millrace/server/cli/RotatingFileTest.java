package io.millrace.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
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

    @Test
    void aLineThatAFullDiskHasCutShortIsNotJoinedWithTheNext() throws IOException {
        Path file = directory.resolve("usage.jsonl");
        var left = new AtomicLong(7);
        try (var out = new RotatingFile(file, 0, NOON, path -> new SmallDisk(path, left))) {
            out.write("one\n".getBytes(UTF_8));
            for (String lost : List.of("two\n", "three\n")) {
                assertThatThrownBy(() -> out.write(lost.getBytes(UTF_8))).hasMessage("No space left on device");
            }
            left.set(100);
            out.write("four\n".getBytes(UTF_8));
            left.set(0);
            assertThatThrownBy(() -> out.write("five\n".getBytes(UTF_8))).hasMessage("No space left on device");
            left.set(100);
            out.write("six\n".getBytes(UTF_8));
        }
        assertThat(file).content().isEqualTo("one\ntwo\nfour\nsix\n");
    }

    /** A file on a disk with so many bytes left. A write takes what there is. */
    private static final class SmallDisk extends FileOutputStream {
        private final AtomicLong left;

        SmallDisk(Path file, AtomicLong left) throws IOException {
            super(file.toFile(), true);
            this.left = left;
        }

        @Override
        public void write(int one) throws IOException {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            int taken = (int) Math.min(left.get(), length);
            super.write(bytes, from, taken);
            left.addAndGet(-taken);
            if (taken < length) {
                throw new IOException("No space left on device");
            }
        }
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }
}
