package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The commands that the documents show exist, and have the options that are shown. It is here to have all commands. */
class CommandsInDocsTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern CODE = Pattern.compile("(?ms)^```[^\\n]*\\n.*?^```$|^    [^\\n]*$|`[^`\\n]+`");
    /** The launcher, by one of its names, and all up to the end of the command. */
    private static final Pattern COMMAND =
            Pattern.compile("(?m)(?:^|[\\s`(])(?:scripts/|[\\w./-]*/bin/)?(millrace|scripts/run)[ `]([^`|;&#\\n]*)");

    private static final Pattern WORD = Pattern.compile("[a-z-]+");
    private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z0-9-]*");

    @Test
    void everyCommandHasItsOptions() throws IOException {
        CommandLine root = Millrace.commandLine();
        assertThat(root.getSubcommands()).containsKeys("serve", "bench", "doctor");
        var wrong = new ArrayList<String>();
        int read = 0;
        for (Path page : pages()) {
            for (String command : commands(Files.readString(page))) {
                read++;
                unknown(root, command)
                        .forEach(option -> wrong.add(ROOT.relativize(page) + ": " + command + ": " + option));
            }
        }
        assertThat(read).isGreaterThan(60);
        assertThat(wrong).isEmpty();
    }

    /** Words such as URLs and names of files can be copied from a help of 80 columns. */
    @Test
    void noHelpBreaksAWord() {
        var broken = new ArrayList<String>();
        for (CommandLine command : allOf(Millrace.commandLine())) {
            String help = command.setUsageHelpAutoWidth(false).getUsageMessage(CommandLine.Help.Ansi.OFF);
            command.getCommandSpec().options().stream()
                    .filter(option -> !option.hidden())
                    .flatMap(option -> Stream.of(option.description()))
                    .flatMap(text -> Stream.of(text.split("%n|\\s+", -1)))
                    .filter(word -> !help.contains(word))
                    .forEach(word -> broken.add(command.getCommandName() + ": " + word));
        }
        assertThat(broken).isEmpty();
    }

    private static List<CommandLine> allOf(CommandLine command) {
        var all = new ArrayList<>(List.of(command));
        command.getSubcommands().values().forEach(sub -> all.addAll(allOf(sub)));
        return all;
    }

    /** The arguments of the launcher in the code of a page. */
    private static List<String> commands(String page) {
        var commands = new ArrayList<String>();
        for (MatchResult code :
                CODE.matcher(page.replace("\\\n", " ")).results().toList()) {
            for (MatchResult found : COMMAND.matcher(code.group()).results().toList()) {
                String serve = found.group(1).equals("millrace") ? "" : "serve ";
                commands.add((serve + found.group(2)).strip());
            }
        }
        return commands;
    }

    private static List<String> unknown(CommandLine root, String command) {
        CommandLine at = root;
        for (String word : command.split("\\s+", -1)) {
            CommandLine next =
                    WORD.matcher(word).matches() ? at.getSubcommands().get(word) : null;
            if (next == null) {
                break;
            }
            at = next;
        }
        CommandLine asked = at;
        return OPTION.matcher(command)
                .results()
                .map(MatchResult::group)
                .filter(option -> !asked.getCommandSpec().optionsMap().containsKey(option))
                .toList();
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> files = Files.list(ROOT.resolve("docs"))) {
            return Stream.concat(
                            files.filter(file -> file.toString().endsWith(".md")),
                            Stream.of("README.md", "CONTRIBUTING.md", "SECURITY.md")
                                    .map(ROOT::resolve))
                    .sorted()
                    .toList();
        }
    }
}
