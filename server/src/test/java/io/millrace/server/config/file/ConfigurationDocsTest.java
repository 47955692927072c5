package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares {@code docs/configuration.md} with the tables of settings: it must have all of them with their defaults, and
 * no others.
 */
class ConfigurationDocsTest {
    private static final Path DOCS = Path.of("..", "docs", "configuration.md");
    private static final Pattern LITERAL = Pattern.compile("`([^`]+)`|(-?[0-9.]+|true|false)");

    /** What each configuration says itself, or what depends on the machine. */
    private static final Set<String> NO_DEFAULT = Set.of("transport", "name", "upstream", "url", "address");

    static Stream<Arguments> tables() {
        return Stream.of(
                Arguments.of("## The file", 0, Tables.RELAY),
                Arguments.of("### `listeners`", 0, ListenerTables.LISTENER),
                Arguments.of("### `listeners`", 1, ListenerTables.TLS),
                Arguments.of("### `upstreams`", 0, Tables.UPSTREAM),
                Arguments.of("### `upstreams`", 1, HealthTables.HEALTH),
                Arguments.of("### `routes`", 0, Tables.ROUTE),
                Arguments.of("### The file of clients", 0, ClientTables.CLIENT),
                Arguments.of("### The file of clients", 1, ClientTables.CLIENT_LIMITS),
                Arguments.of("### Redis", 0, ClientTables.REDIS),
                Arguments.of("### `retry`", 0, Tables.RETRY),
                Arguments.of("### `heartbeat`", 0, Tables.HEARTBEAT),
                Arguments.of("### `timeouts`", 0, Tables.TIMEOUTS),
                Arguments.of("### `limits`", 0, Tables.LIMITS),
                Arguments.of("### `http2`", 0, Tables.HTTP2),
                Arguments.of("### `resume`", 0, Tables.RESUME),
                Arguments.of("### `resume.redis`", 0, StoreTables.STORE),
                Arguments.of("### `telemetry`", 0, TelemetryTables.TELEMETRY),
                Arguments.of("### `telemetry.otlp`", 0, TelemetryTables.OTLP),
                Arguments.of("### `cors`", 0, Tables.CORS));
    }

    @ParameterizedTest
    @MethodSource("tables")
    <S> void documentsEachSettingWithItsDefaultAndNoOther(String heading, int index, Table<S> table)
            throws IOException {
        var documented = new ArrayList<String>();
        for (String[] row : rows(heading, index)) {
            List<String> keys = Arrays.stream(row[0].split(", "))
                    .map(key -> key.replace("`", ""))
                    .toList();
            documented.addAll(keys);
            String[] defaults = keys.size() > 1 ? row[1].split(", ") : new String[] {row[1]};
            for (int i = 0; i < keys.size(); i++) {
                checkDefault(table, keys.get(i), i < defaults.length ? defaults[i] : "");
            }
        }

        assertThat(documented).containsExactlyInAnyOrderElementsOf(keys(table));
    }

    static Stream<Arguments> sectionsInOneRow() {
        return Stream.of(
                Arguments.of("| `accessLog` |", Tables.ACCESS_LOG, List.of()),
                Arguments.of("| `usageLog` |", TelemetryTables.USAGE_LOG, List.of("rotate")),
                Arguments.of("| `ownPaths` |", Tables.OWN_PATHS, List.of()),
                Arguments.of("| `clients` |", ClientTables.CLIENTS, List.of("onStoreFailure", "nodes")),
                Arguments.of("| `match` |", Tables.MATCH, List.of()),
                Arguments.of("| `targets` |", Tables.TARGET, List.of()),
                Arguments.of("| `hedge` |", Tables.HEDGE, List.of("maxShare")),
                Arguments.of("| `disconnect` |", Tables.DISCONNECT, List.of("maxFrames", "maxTime")),
                Arguments.of("| `balance` |", Tables.BALANCE, List.of()),
                Arguments.of("| `http2` | several streams", Tables.UPSTREAM_HTTP2, List.of("streams")),
                Arguments.of("| `controlFrames` |", Tables.CONTROL_FRAMES, List.of("burst", "perSecond")),
                Arguments.of("| `probe` |", HealthTables.PROBE, List.of("interval")),
                Arguments.of("`retryBudget`: ", Tables.RETRY_BUDGET, List.of("ratio", "perSecond")));
    }

    /** Some with their defaults in brackets; those of the others are the row's. */
    @ParameterizedTest
    @MethodSource("sectionsInOneRow")
    <S> void documentsSmallSectionsInOneRow(String begin, Table<S> table, List<String> withDefault) throws IOException {
        String docs = Files.readString(DOCS);
        int start = docs.indexOf("\n" + begin) + 1;
        assertThat(start).as(begin).isPositive();
        String text = docs.substring(start, docs.indexOf(begin.startsWith("|") ? "\n" : "\n\n", start));

        for (String key : keys(table)) {
            assertThat(text).containsPattern("`[^`]*\\b" + key + "\\b[^`]*`");
        }
        for (String key : withDefault) {
            var said = Pattern.compile("`" + key + "`\\s\\((`[^`]+`|[0-9.]+)").matcher(text);
            assertThat(said.find()).as(key).isTrue();
            checkDefault(table, key, said.group(1));
        }
    }

    /** A literal must be what the setting is without being set; words stand for what is not written, or a section. */
    private static <S> void checkDefault(Table<S> table, String key, String documented) {
        if (NO_DEFAULT.contains(key)) {
            return;
        }
        var literal = LITERAL.matcher(documented);
        if (literal.lookingAt()) {
            String value = literal.group(1) != null ? literal.group(1) : literal.group(2);
            assertThat(read(table, key, value)).as(key + ": " + documented).isEqualTo(table.defaults());
        } else {
            assertThat(table.write(table.defaults()).get(key))
                    .as(key + ": " + documented)
                    .satisfiesAnyOf(
                            value -> assertThat(value).isNull(),
                            value -> assertThat(value).isInstanceOfAny(Map.class, List.class));
        }
    }

    /** The defaults with one setting set. */
    private static <S> S read(Table<S> table, String key, String value) {
        var problems = new Problems("docs");
        var root = NodeReader.read(key + ": '" + value + "'", false, problems);
        try (var section = new Section(root, problems)) {
            S read = table.read(section, table.defaults());
            problems.throwIfAny();
            return read;
        }
    }

    private static List<String> keys(Table<?> table) {
        return table.settings().stream().map(Setting::key).toList();
    }

    /** The rows of the table with this index below the heading, without its head, as the texts of their cells. */
    private static List<String[]> rows(String heading, int index) throws IOException {
        String docs = Files.readString(DOCS);
        int start = docs.indexOf("\n" + heading + "\n");
        assertThat(start).as(heading).isNotNegative();
        for (int i = 0; i <= index; i++) {
            start = docs.indexOf("\n| key | default | |\n| --- | --- | --- |\n", start + 1);
        }
        return docs.substring(start + 1)
                .lines()
                .skip(2)
                .takeWhile(line -> line.startsWith("|"))
                .map(line -> Arrays.stream(line.substring(1).split("\\|"))
                        .map(String::strip)
                        .toArray(String[]::new))
                .toList();
    }
}
