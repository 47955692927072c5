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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The pages about the code name only classes that exist, and the architecture has each package of the server. */
class NamedClassesTest {
    private static final Path ROOT = Path.of("..");
    private static final Path SERVER = ROOT.resolve("server/src/main/java/io/millrace/server");
    private static final Path ARCHITECTURE = ROOT.resolve("docs/architecture.md");
    private static final Pattern NAMED = Pattern.compile("`([A-Z][a-z]+(?:[A-Z]\\w*)+)`");
    private static final Pattern DECLARED = Pattern.compile("\\b(?:class|interface|record|enum) (\\w+)");
    /** Of the JDK. */
    private static final Set<String> FOREIGN = Set.of("BreakIterator", "ServiceLoader");

    @Test
    void everyNamedClassExists() throws IOException {
        Set<String> named = new TreeSet<>();
        for (Path page : pages()) {
            NAMED.matcher(Files.readString(page)).results().forEach(found -> named.add(found.group(1)));
        }
        assertThat(named).hasSizeGreaterThan(50);
        named.removeAll(FOREIGN);
        for (String module : List.of("codec", "server", "bench", "it")) {
            removeDeclared(ROOT.resolve(module).resolve("src"), named);
        }
        assertThat(named).isEmpty();
    }

    @Test
    void eachPackageOfTheServerHasARow() throws IOException {
        String text = Files.readString(ARCHITECTURE);
        var missing = new ArrayList<String>();
        try (Stream<Path> files = Files.walk(SERVER)) {
            for (Path room : files.filter(Files::isDirectory).toList()) {
                String name = SERVER.relativize(room).toString().replace('/', '.');
                if (!name.isEmpty() && !text.contains("`." + name + "`")) {
                    missing.add(name);
                }
            }
        }
        assertThat(missing).as("packages without a row in docs/architecture.md").isEmpty();
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> files = Files.list(ROOT.resolve("docs/decisions"))) {
            return Stream.concat(Stream.of(ARCHITECTURE, ROOT.resolve("docs/development.md")), files)
                    .toList();
        }
    }

    private static void removeDeclared(Path source, Set<String> named) throws IOException {
        try (Stream<Path> files = Files.walk(source)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
                DECLARED.matcher(Files.readString(file)).results().forEach(found -> named.remove(found.group(1)));
            }
        }
    }
}
