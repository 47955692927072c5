package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The packaged distribution has the papers that it needs, and they are true of it. */
class DistributionIT {
    private static final Path PACKAGED = Path.of("..", "bench", "target");
    private static final Path VENDORED = Path.of("../server/src/main/resources/io/millrace/server/console/vendor");
    private static final Pattern JAR = Pattern.compile("^[^/]+/lib/([A-Za-z].*?)-\\d[^/]*\\.jar$");
    /** A list of names behind a star, up to the line that tells the licence. */
    private static final Pattern ENTRY = Pattern.compile("(?m)^\\* ([A-Za-z_0-9,\\s-]+?)\\n  [A-Z]");

    @Test
    void noticeNamesEachJarAndScriptAndNothingElse() throws Exception {
        List<String> files = files();
        var shipped = new TreeSet<String>();
        for (String file : files) {
            Matcher jar = JAR.matcher(file);
            if (jar.matches() && !jar.group(1).startsWith("millrace-")) {
                shipped.add(jar.group(1));
            }
        }
        assertThat(shipped).hasSizeGreaterThan(20);
        try (Stream<Path> scripts = Files.list(VENDORED)) {
            scripts.map(script -> script.getFileName().toString())
                    .filter(name -> name.endsWith(".js"))
                    .forEach(name -> shipped.add(name.replace(".js", "")));
        }
        assertThat(named()).containsExactlyInAnyOrderElementsOf(shipped);
    }

    @Test
    void hasItsPapers() throws Exception {
        List<String> names = files().stream()
                .map(file -> file.substring(file.indexOf('/') + 1))
                .toList();
        assertThat(names).contains("LICENSE", "NOTICE", "CHANGELOG.md", "README.md", "SECURITY.md");
    }

    private static Set<String> named() throws IOException {
        var named = new TreeSet<String>();
        for (MatchResult entry : ENTRY.matcher(Files.readString(Path.of("..", "NOTICE")))
                .results()
                .toList()) {
            named.addAll(List.of(entry.group(1).split(",\\s+")));
        }
        return named;
    }

    private static List<String> files() throws IOException, InterruptedException {
        Path archive;
        try (Stream<Path> files = Files.list(PACKAGED)) {
            archive = files.filter(file -> file.getFileName().toString().matches("millrace-[0-9].*\\.tar\\.gz"))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("bench is not packaged: run mvn verify"));
        }
        var tar = new ProcessBuilder("tar", "-tzf", archive.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> files;
        try (var output = tar.inputReader()) {
            files = output.lines().toList();
        }
        assertThat(tar.waitFor()).isZero();
        return files;
    }
}
