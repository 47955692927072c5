package io.millrace.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.doctor.DoctorCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The table of exit codes in docs/configuration.md has those of the code and of the help, and no others. */
class ExitCodesDocsTest {
    private static final Path ROOT = Path.of("..");
    private static final Path SERVER = ROOT.resolve("server/src/main/java/io/millrace/server/cli");
    private static final Pattern ROW =
            Pattern.compile("(?m)^\\| (\\d+) \\| ?(.*?) ?\\| ?(.*?) ?\\| ?(.*?) ?\\| ?(.*?) ?\\|$");
    /** Where a command returns its code, or a program ends. */
    private static final Pattern RETURNS = Pattern.compile("(?m)^\\s*(?:return|Runtime\\.getRuntime\\(\\)\\.halt).*;$");

    private static final Pattern CODE =
            Pattern.compile("(?<![\\w.\"])(\\d+|CommandLine\\.ExitCode\\.[A-Z]+|INTERRUPTED)(?=;| :|\\);)");

    private static Map<String, Set<Integer>> table() throws IOException {
        String page = Files.readString(ROOT.resolve("docs/configuration.md"));
        int start = page.indexOf("\n## Exit codes\n");
        String section = page.substring(start, page.indexOf("\n## ", start + 5));
        assertThat(section).contains("| code | `serve`, `mock`, `key`, `train`", "| `check` | `doctor` | `bench` |");
        var codes = new TreeMap<String, Set<Integer>>();
        String[] columns = {"serve", "check", "doctor", "bench"};
        for (MatchResult row : ROW.matcher(section).results().toList()) {
            for (int column = 0; column < columns.length; column++) {
                if (!row.group(2 + column).isBlank()) {
                    codes.computeIfAbsent(columns[column], name -> new TreeSet<>())
                            .add(Integer.parseInt(row.group(1)));
                }
            }
        }
        return codes;
    }

    /** The codes in the help of a command; a digit before a word of text. */
    private static Set<Integer> told(Object command, String from, String to) {
        String help = new CommandLine(command).setUsageHelpAutoWidth(false).getUsageMessage(CommandLine.Help.Ansi.OFF);
        String text = help.replaceAll("\\s+", " ");
        int start = text.indexOf(from);
        assertThat(start).as(help).isNotNegative();
        var codes = new TreeSet<Integer>();
        Pattern.compile("(?:: |; |code )(\\d+) [a-z]")
                .matcher(text.substring(start, text.indexOf(to, start)))
                .results()
                .forEach(code -> codes.add(Integer.parseInt(code.group(1))));
        return codes;
    }

    @Test
    void benchHasThoseOfItsHelpAndOfTheTable() throws IOException {
        assertThat(told(new BenchCommand(), "Exit codes", "Examples:")).isEqualTo(table().get("bench"));
        assertThat(table().get("bench"))
                .containsExactly(
                        CommandLine.ExitCode.OK,
                        CommandLine.ExitCode.SOFTWARE,
                        CommandLine.ExitCode.USAGE,
                        BenchCommand.UNFIT,
                        BenchCommand.INTERRUPTED);
    }

    @Test
    void doctorHasThoseOfItsHelpAndOfTheTable() throws IOException {
        assertThat(told(new DoctorCommand(), "Exit code", "wrong usage.")).isEqualTo(table().get("doctor"));
    }

    @Test
    void theServersCommandsHaveThoseOfTheTable() throws IOException {
        assertThat(returned("ServeCommand", "MockCommand", "KeyCommand", "TrainCommand", "HealthCommand", "StopSignal"))
                .isSubsetOf(table().get("serve"))
                .contains(0, 1, 130);
        assertThat(returned("CheckCommand")).isSubsetOf(table().get("check")).contains(0, 1);
        // What all commands give for a failure and for wrong usage.
        assertThat(returned("Millrace")).containsExactly(0, 1, 2);
        assertThat(table().get("check")).containsExactly(0, 1, 2);
        assertThat(table().get("serve")).containsExactly(0, 1, 2, 130);
    }

    private static Set<Integer> returned(String... commands) throws IOException {
        var codes = new TreeSet<Integer>();
        for (String command : commands) {
            String source = Files.readString(SERVER.resolve(command + ".java"));
            RETURNS.matcher(source)
                    .results()
                    .flatMap(line -> CODE.matcher(line.group()).results())
                    .forEach(code -> codes.add(code(code.group(1), source)));
        }
        return codes;
    }

    private static int code(String word, String source) {
        if (word.matches("\\d+")) {
            return Integer.parseInt(word);
        }
        if (word.startsWith("CommandLine")) {
            return word.endsWith("USAGE") ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
        }
        var constant = Pattern.compile("int " + word + " = (\\d+);").matcher(source);
        assertThat(constant.find()).as(word).isTrue();
        return Integer.parseInt(constant.group(1));
    }
}
