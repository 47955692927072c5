package io.millrace.server.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.RelayError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * docs/http.md has each error code of the relay with its statuses, each of its header fields and each of its own paths,
 * and no others.
 */
class HttpDocsTest {
    private static final Path ROOT = Path.of("..");
    private static final List<String> SOURCES = List.of("codec/src/main/java", "server/src/main/java");
    private static final Pattern COMMENT = Pattern.compile("//.*|/\\*(?s:.*?)\\*/");

    /** A code behind its status, which is a number or is told by something else. */
    private static final Pattern CODED =
            Pattern.compile("(?:\\b([45]\\d\\d)|\\b\\w*[sS]tatus(?:\\(\\))?),\\s*\"([a-z][a-z0-9_]+)\"");
    /** Codes without a status beside them. */
    private static final Pattern NAMED =
            Pattern.compile("\\breturn limited\\(\"([a-z_]+)\"|\\bString code = \\w+ \\? \"([a-z_]+)\"");

    private static final Pattern ROW =
            Pattern.compile("^\\| `([a-z_0-9]+)` \\| ((?:\\d{3}|in a stream)[^|]*) \\| [^|]+ \\|$", Pattern.MULTILINE);
    private static final Pattern STATUS = Pattern.compile("\\b[45]\\d\\d\\b");
    private static final Pattern FIELD = Pattern.compile("(?i)\\bx-millrace-[a-z-]+");
    private static final Pattern PATH = Pattern.compile("\"(/[a-z./]*)\"");

    private static String page;
    private static final Map<String, String> CODE_BY_FILE = new TreeMap<>();

    @BeforeAll
    static void read() throws IOException {
        page = Files.readString(ROOT.resolve("docs/http.md"));
        for (String source : SOURCES) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(source))) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    if (!file.getParent().endsWith("mock")) {
                        CODE_BY_FILE.put(
                                file.getFileName().toString(),
                                COMMENT.matcher(Files.readString(file)).replaceAll(""));
                    }
                }
            }
        }
    }

    @Test
    void hasEachErrorCodeWithItsStatuses() {
        var told = new TreeMap<String, Set<String>>();
        ROW.matcher(page).results().forEach(row -> told.put(row.group(1), statuses(row.group(2))));
        Map<String, Set<String>> real = codes();
        assertThat(real).hasSizeGreaterThan(40);
        assertThat(told.keySet()).containsExactlyInAnyOrderElementsOf(real.keySet());
        real.forEach((code, statuses) -> assertThat(told.get(code)).as(code).containsAll(statuses));
    }

    @Test
    void hasEachHeaderField() {
        Set<String> real = fields(CODE_BY_FILE.get("HeaderRules.java"));
        assertThat(real).hasSizeGreaterThan(8);
        assertThat(fields(page)).containsExactlyInAnyOrderElementsOf(real);
    }

    @Test
    void hasEachPath() {
        for (String file : List.of("ServedPaths.java", "ChatSide.java", "Console.java")) {
            List<String> paths = PATH.matcher(CODE_BY_FILE.get(file))
                    .results()
                    .map(path -> path.group(1))
                    .toList();
            assertThat(paths)
                    .as(file)
                    .isNotEmpty()
                    .allSatisfy(path -> assertThat(page).containsPattern("`[A-Z, ]+ " + Pattern.quote(path)));
        }
    }

    private static Map<String, Set<String>> codes() {
        var codes = new TreeMap<String, Set<String>>();
        for (RelayError error : RelayError.values()) {
            codes.put(error.code(), new TreeSet<>());
        }
        for (String code : CODE_BY_FILE.values()) {
            for (MatchResult coded : CODED.matcher(code).results().toList()) {
                Set<String> statuses = codes.computeIfAbsent(coded.group(2), key -> new TreeSet<>());
                if (coded.group(1) != null) {
                    statuses.add(coded.group(1));
                }
            }
            for (MatchResult named : NAMED.matcher(code).results().toList()) {
                codes.computeIfAbsent(named.group(1) != null ? named.group(1) : named.group(2), key -> new TreeSet<>());
            }
        }
        return codes;
    }

    private static Set<String> statuses(String cell) {
        return STATUS.matcher(cell).results().map(MatchResult::group).collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> fields(String text) {
        return FIELD.matcher(text)
                .results()
                .map(field -> field.group().toLowerCase(Locale.ROOT))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
