package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The configurations that the documents show can be read. Of parts, what they refer to may be missing. */
class ExamplesInDocsTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```yaml\\n(.*?)^```$");
    private static final Pattern TOP = Pattern.compile("(?m)^([A-Za-z_]+):");
    private static final Pattern VARIABLE = Pattern.compile("\\benv: (\\w+)");
    /** What is not there, because a page shows a part, or because no machine has such files. */
    private static final List<String> MISSING = List.of("cannot be read", "is no upstream");

    @TempDir
    private Path directory;

    @Test
    void everyConfigurationIsRead() throws IOException {
        var wrong = new ArrayList<String>();
        int read = 0;
        for (Path page : pages()) {
            for (MatchResult block :
                    BLOCK.matcher(Files.readString(page)).results().toList()) {
                String yaml = block.group(1);
                if (isConfiguration(yaml)) {
                    read++;
                    problems(yaml).forEach(problem -> wrong.add(ROOT.relativize(page) + ": " + problem));
                }
            }
        }
        assertThat(read).isGreaterThan(15);
        assertThat(wrong).isEmpty();
    }

    /** Its keys are those of the file; the file of clients is another. */
    private static boolean isConfiguration(String yaml) {
        List<String> known = Tables.RELAY.settings().stream().map(Setting::key).toList();
        return !yaml.startsWith("# clients.yaml")
                && TOP.matcher(yaml).results().map(key -> key.group(1)).anyMatch(known::contains);
    }

    private List<String> problems(String yaml) throws IOException {
        Path file = Files.writeString(directory.resolve("millrace.yaml"), yaml);
        Map<String, String> environment = new HashMap<>();
        VARIABLE.matcher(yaml).results().forEach(name -> environment.put(name.group(1), "k".repeat(40)));
        try {
            ConfigLoader.load(new ConfigSources(file, environment, Map.of(), () -> URI.create("http://127.0.0.1:1")));
            return List.of();
        } catch (ConfigException e) {
            return e.problems().stream()
                    .filter(problem -> MISSING.stream().noneMatch(problem::contains))
                    .toList();
        }
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> files = Files.list(ROOT.resolve("docs"))) {
            return Stream.concat(
                            files.filter(file -> file.toString().endsWith(".md")), Stream.of(ROOT.resolve("README.md")))
                    .sorted()
                    .toList();
        }
    }
}
