package io.millrace.bench.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/troubleshooting.md has each finding of the doctor in its own words, and no other. */
class TroubleshootingDocsTest {
    private static final String TABLE = "\n| finding | first fix |\n| --- | --- |\n";

    @Test
    void hasEachFinding() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "troubleshooting.md"));
        int start = page.indexOf(TABLE);
        assertThat(start).isPositive();
        List<String> told = page.substring(start + TABLE.length())
                .lines()
                .takeWhile(line -> line.startsWith("| "))
                .map(line -> line.substring(2, line.indexOf(" |", 2)))
                .toList();
        assertThat(told)
                .containsExactlyInAnyOrderElementsOf(
                        Stream.of(Ailment.values()).map(Ailment::text).toList());
    }
}
