package io.millrace.server.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Only tests that open sockets or start processes have the tag {@code sockets}, because {@code scripts/check} leaves
 * these out. A test opens sockets if it, or a test class that it names, names a class that opens them.
 */
class SocketTagTest {
    private static final Path ROOT = Path.of("..");
    private static final List<String> SOURCES =
            List.of("codec/src/test/java", "server/src/test/java", "bench/src/test/java");
    private static final Set<String> OPENERS = Set.of(
            "Bootstrap",
            "DatagramSocket",
            "HttpClient",
            "MockServer",
            "MultiThreadIoEventLoopGroup",
            "NioEventLoopGroup",
            "ProcessBuilder",
            "RelayServer",
            "ServerBootstrap",
            "ServerSocket",
            "ServerSocketChannel",
            "Socket",
            "SocketChannel",
            "WarmUp");
    private static final Pattern PACKAGE = Pattern.compile("^package ([\\w.]+);", Pattern.MULTILINE);
    private static final Pattern IMPORT =
            Pattern.compile("^import (?:static )?([a-z][\\w.]*\\.)([A-Z]\\w*)", Pattern.MULTILINE);
    private static final Pattern TYPE = Pattern.compile("\\b[A-Z]\\w+");
    private static final Pattern NOT_CODE =
            Pattern.compile("\"\"\"(?s:.*?)\"\"\"|\"(?:\\\\.|[^\"\\\\])*\"|//.*|/\\*(?s:.*?)\\*/");
    private static final Pattern TAGGED = Pattern.compile("^@Tag\\(\"sockets\"\\)", Pattern.MULTILINE);

    private static final Map<String, Set<String>> TYPES_NAMED = new HashMap<>();
    private static final Set<String> TESTS = new TreeSet<>();
    private static final Set<String> WITH_TAG = new TreeSet<>();

    @BeforeAll
    static void readSources() throws IOException {
        for (String source : SOURCES) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(source))) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    read(file);
                }
            }
        }
    }

    @Test
    void whatOpensSocketsIsTaggedAndNothingElse() {
        Set<String> open =
                TESTS.stream().filter(SocketTagTest::opensSockets).collect(Collectors.toCollection(TreeSet::new));
        assertThat(open).hasSizeGreaterThan(40);
        assertThat(without(open, WITH_TAG)).as("open sockets, and lack the tag").isEmpty();
        assertThat(without(WITH_TAG, open))
                .as("have the tag, and open no socket")
                .isEmpty();
    }

    private static Set<String> without(Set<String> names, Set<String> others) {
        var rest = new TreeSet<>(names);
        rest.removeAll(others);
        return rest;
    }

    private static void read(Path file) throws IOException {
        String text = Files.readString(file);
        Matcher declared = PACKAGE.matcher(text);
        assertThat(declared.find()).as(file.toString()).isTrue();
        String room = declared.group(1) + '.';
        var imports = new HashMap<String, String>();
        IMPORT.matcher(text).results().forEach(type -> imports.put(type.group(2), type.group(1)));
        String name = room + file.getFileName().toString().replace(".java", "");
        Set<String> types = TYPES_NAMED.computeIfAbsent(name, key -> new HashSet<>());
        TYPE.matcher(NOT_CODE.matcher(text).replaceAll(""))
                .results()
                .map(MatchResult::group)
                .forEach(type -> types.add(imports.getOrDefault(type, room) + type));
        if (name.endsWith("Test")) {
            TESTS.add(name);
        }
        if (TAGGED.matcher(text).find()) {
            WITH_TAG.add(name);
        }
    }

    private static boolean opensSockets(String test) {
        var seen = new HashSet<>(Set.of(test));
        var left = new ArrayDeque<>(seen);
        while (!left.isEmpty()) {
            for (String type : TYPES_NAMED.get(left.remove())) {
                if (OPENERS.contains(type.substring(type.lastIndexOf('.') + 1))) {
                    return true;
                }
                if (TYPES_NAMED.containsKey(type) && seen.add(type)) {
                    left.add(type);
                }
            }
        }
        return false;
    }
}
