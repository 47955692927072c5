package io.millrace.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileStampsTest {
    @TempDir
    private Path directory;

    @Test
    void noticesAnotherTimeAnotherSizeAndAnotherFile() throws Exception {
        Path file = Files.writeString(directory.resolve("a"), "one");
        var then = FileTime.fromMillis(1_000_000);
        Files.setLastModifiedTime(file, then);
        FileStamps first = FileStamps.of(List.of(file));
        assertThat(FileStamps.of(List.of(file))).isEqualTo(first).hasSameHashCodeAs(first);

        Files.setLastModifiedTime(file, FileTime.fromMillis(2_000_000));
        assertThat(FileStamps.of(List.of(file))).isNotEqualTo(first);
        Files.writeString(file, "three");
        Files.setLastModifiedTime(file, then);
        assertThat(FileStamps.of(List.of(file))).isNotEqualTo(first);

        Path other = Files.writeString(directory.resolve("b"), "one");
        Files.setLastModifiedTime(other, then);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(FileStamps.of(List.of(file))).as("the same size and time").isNotEqualTo(first);
        Files.delete(file);
        FileStamps gone = FileStamps.of(List.of(file));
        assertThat(gone).isNotEqualTo(first).isEqualTo(FileStamps.of(List.of(file)));
    }

    /** Files are links to {@code ..data/}, and this is a link to the directory of the moment. */
    @Test
    void noticesAnotherTargetOfALinkOnTheWay() throws Exception {
        Path first = Files.createDirectory(directory.resolve("first"));
        Path second = Files.createDirectory(directory.resolve("second"));
        Files.writeString(first.resolve("tls.crt"), "one");
        Files.createLink(second.resolve("tls.crt"), first.resolve("tls.crt")); // all but the path is the same
        Path data = Files.createSymbolicLink(directory.resolve("..data"), first);
        Path file = Files.createSymbolicLink(directory.resolve("tls.crt"), Path.of("..data", "tls.crt"));
        FileStamps before = FileStamps.of(List.of(file));
        Path next = Files.createSymbolicLink(directory.resolve("..data_tmp"), second);
        Files.move(next, data, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        assertThat(FileStamps.of(List.of(file))).isNotEqualTo(before);
    }

    @Test
    void looksAgainAndAgainAlsoAfterAFailure() {
        var looks = new AtomicInteger();
        try (var watch = new FileWatch(Duration.ofMillis(1))) {
            watch.add(() -> {
                looks.incrementAndGet();
                throw new IllegalStateException("a test's");
            });
            await().until(() -> looks.get() > 3);
        }
    }
}
