package io.millrace.server.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The documents name the tests of their promises. Each of these tests exists, and each promise has one. */
class NamedTestsTest {
    private static final Path ROOT = Path.of("..");
    private static final List<String> SOURCES = List.of(
            "codec/src/test/java",
            "server/src/test/java",
            "bench/src/test/java",
            "bench/src/peers/java",
            "it/src/test/java");
    private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w+(?:Test|Contract|IT|Benchmark))`");
    private static final Pattern FUZZER = Pattern.compile("^\\| `(\\w+FuzzTest)` \\|");
    private static final Pattern HOLDER = Pattern.compile(NAMED.pattern() + "|`scripts/(?:agents|drill|compare)[^`]*`");
    /** Says what was decided, not what is promised. */
    private static final String CHOICES = "## Choices";

    @Test
    void everyNamedTestExists() throws IOException {
        Set<String> named = new TreeSet<>();
        for (Path document : documents()) {
            NAMED.matcher(Files.readString(document)).results().forEach(found -> named.add(found.group(1)));
        }
        assertThat(named).hasSizeGreaterThan(50);
        named.removeAll(testClasses());
        assertThat(named).isEmpty();
    }

    @Test
    void everyPromiseNamesATest() throws IOException {
        var without = new ArrayList<String>();
        String contracts = Files.readString(ROOT.resolve("docs/contracts.md"));
        for (String section : contracts.split("\n(?=## )", -1)) {
            if (section.startsWith("## ") && !section.startsWith(CHOICES)) {
                addPromisesWithout(section, without);
            }
        }
        assertThat(without).isEmpty();
    }

    @Test
    void everyFuzzerHasARowInTheChecks() throws IOException {
        Set<String> rows = new TreeSet<>();
        for (String line : Files.readAllLines(ROOT.resolve("docs/checks.md"))) {
            FUZZER.matcher(line).results().forEach(found -> rows.add(found.group(1)));
        }
        assertThat(rows).hasSizeGreaterThan(10);
        assertThat(rows)
                .containsExactlyElementsOf(testClasses().stream()
                        .filter(name -> name.endsWith("FuzzTest"))
                        .sorted()
                        .toList());
    }

    private static void addPromisesWithout(String section, List<String> without) {
        if (!HOLDER.matcher(section).find()) {
            without.add(section.lines().findFirst().orElseThrow());
        }
        boolean inTable = false;
        for (String line : section.lines().toList()) {
            boolean heads = line.endsWith("| held by |");
            inTable = line.startsWith("|") && (inTable || heads);
            if (inTable && !heads && !line.startsWith("| ---")) {
                String last = line.substring(line.lastIndexOf('|', line.length() - 2));
                if (!HOLDER.matcher(last).find()) {
                    without.add(line);
                }
            }
        }
    }

    private static List<Path> documents() throws IOException {
        try (Stream<Path> files = Files.walk(ROOT.resolve("docs"))) {
            return Stream.concat(
                            files.filter(file -> file.toString().endsWith(".md")), Stream.of(ROOT.resolve("README.md")))
                    .toList();
        }
    }

    private static Set<String> testClasses() throws IOException {
        var classes = new TreeSet<String>();
        for (String source : SOURCES) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(source))) {
                classes.addAll(files.map(file -> file.getFileName().toString())
                        .filter(name -> name.endsWith(".java"))
                        .map(name -> name.substring(0, name.length() - ".java".length()))
                        .collect(Collectors.toSet()));
            }
        }
        return classes;
    }
}
