package io.millrace.server.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Scripts by which shells complete commands, options, and the values of those that name a file or one of a few words. */
final class CompletionScripts {
    private CompletionScripts() {}

    /** For bash, from 3.2 on. */
    static String bash(CommandLine root) {
        return AutoComplete.bash("millrace", root);
    }

    /** For zsh: to be sourced, or to be found as {@code _millrace} in a directory of {@code fpath}. */
    static String zsh(CommandLine root) {
        var script = new StringBuilder("#compdef millrace\n");
        zshFunction(script, "_millrace", root);
        return script.append("if [ \"$funcstack[1]\" = _millrace ]; then\n")
                .append("  _millrace \"$@\"\n")
                .append("else\n")
                .append("  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n")
                .append("  compdef _millrace millrace\n")
                .append("fi\n")
                .toString();
    }

    /** For fish. */
    static String fish(CommandLine root) {
        var script = new StringBuilder("complete -c millrace -e\ncomplete -c millrace -f\n");
        fish(script, root, "__fish_use_subcommand");
        return script.toString();
    }

    /** The commands that are not hidden. */
    static List<CommandLine> commands(CommandLine parent) {
        return parent.getSubcommands().values().stream()
                .filter(command -> !command.getCommandSpec().usageMessage().hidden())
                .toList();
    }

    /** The first sentence of a description, without its full stop. */
    static String summary(String... lines) {
        String text = lines.length == 0 ? "" : lines[0];
        return text.replaceAll("\\.( .*|$)", "").replace("%%", "%").strip();
    }

    private static String summary(CommandSpec command) {
        return summary(command.usageMessage().description());
    }

    private static void zshFunction(StringBuilder script, String name, CommandLine command) {
        var children = commands(command);
        var specs = new ArrayList<String>();
        for (var options : GroupedHelp.groups(command.getCommandSpec()).values()) {
            options.forEach(option -> specs.add(zshOption(option)));
        }
        boolean parent = !children.isEmpty();
        if (parent) {
            specs.add("1: :->command");
            specs.add("*:: :->argument");
        } else {
            command.getCommandSpec().positionalParameters().forEach(parameter -> specs.add(zshParameter(parameter)));
        }
        script.append(name).append("() {\n  local curcontext=\"$curcontext\" state line\n  _arguments -C");
        specs.forEach(spec -> script.append(" \\\n    ").append(quoted(spec)));
        script.append('\n');
        if (parent) {
            zshChildren(script, name, children);
        }
        script.append("}\n");
        children.forEach(child -> zshFunction(script, name + "_" + child.getCommandName(), child));
    }

    private static void zshChildren(StringBuilder script, String name, List<CommandLine> children) {
        script.append("  local -a commands=(");
        children.forEach(child ->
                script.append("\n    ").append(quoted(child.getCommandName() + ":" + summary(child.getCommandSpec()))));
        script.append(")\n  case $state in\n    command) _describe command commands ;;\n    argument)\n")
                .append("      case $line[1] in\n");
        for (var child : children) {
            boolean help = child.getCommandName().equals("help");
            script.append("        ")
                    .append(child.getCommandName())
                    .append(") ")
                    .append(help ? "_describe command commands" : name + "_" + child.getCommandName())
                    .append(" ;;\n");
        }
        script.append("      esac ;;\n  esac\n");
    }

    private static String zshOption(OptionSpec option) {
        boolean valued = option.arity().max() > 0;
        String what = "[" + summary(option.description()).replaceAll("([\\[\\]\\\\])", "\\\\$1") + "]";
        String value =
                valued ? zshValue(option).repeat(Math.min(2, option.arity().max())) : "";
        return (option.isMultiValue() ? "*" : "") + option.longestName() + (valued ? "=" : "") + what + value;
    }

    private static String zshParameter(PositionalParamSpec parameter) {
        return (parameter.isMultiValue() ? "*" : "1") + zshValue(parameter);
    }

    /** Its name for people, and where its values come from. */
    private static String zshValue(ArgSpec argument) {
        String words = words(argument);
        String from = words != null ? "(" + words + ")" : isFile(argument) ? "_files" : " ";
        return ":" + label(argument).replace(":", "\\:") + ":" + from;
    }

    private static void fish(StringBuilder script, CommandLine command, String condition) {
        boolean root = command.getParent() == null;
        for (var options : GroupedHelp.groups(command.getCommandSpec()).values()) {
            options.forEach(option -> fishOption(script, condition, option));
        }
        command.getCommandSpec().positionalParameters().forEach(parameter -> {
            String words = words(parameter);
            if (words != null || isFile(parameter)) {
                fishLine(script, condition, words != null ? " -a " + quoted(words) : " -F", "");
            }
        });
        var children = commands(command);
        String names = children.stream().map(CommandLine::getCommandName).collect(Collectors.joining(" "));
        if (command.getCommandName().equals("help")) {
            var siblings = commands(command.getParent());
            siblings.forEach(sibling ->
                    fishLine(script, condition, " -a " + sibling.getCommandName(), summary(sibling.getCommandSpec())));
        }
        for (var child : children) {
            String untilOne = root ? condition : condition + "; and not __fish_seen_subcommand_from " + names;
            fishLine(script, untilOne, " -a " + child.getCommandName(), summary(child.getCommandSpec()));
            fish(
                    script,
                    child,
                    (root ? "" : condition + "; and ") + "__fish_seen_subcommand_from " + child.getCommandName());
        }
    }

    private static void fishOption(StringBuilder script, String condition, OptionSpec option) {
        String words = words(option);
        String value = option.arity().max() == 0
                ? ""
                : words != null ? " -x -a " + quoted(words) : isFile(option) ? " -r -F" : " -x";
        fishLine(script, condition, " -l " + option.longestName().substring(2) + value, summary(option.description()));
    }

    private static void fishLine(StringBuilder script, String condition, String what, String summary) {
        script.append("complete -c millrace -n ").append(quoted(condition)).append(what);
        if (!summary.isEmpty()) {
            script.append(" -d '")
                    .append(summary.replace("\\", "\\\\").replace("'", "\\'"))
                    .append('\'');
        }
        script.append('\n');
    }

    /** The words that the argument may be, with blanks between them; null if it may be anything. */
    private static @Nullable String words(ArgSpec argument) {
        Iterable<String> candidates = argument.completionCandidates();
        return candidates == null ? null : String.join(" ", candidates);
    }

    private static boolean isFile(ArgSpec argument) {
        return Stream.concat(
                        Stream.of(argument.type()),
                        Stream.of(argument.typeInfo().getAuxiliaryTypes()))
                .anyMatch(type -> type == Path.class || type == Path[].class);
    }

    private static String label(ArgSpec argument) {
        return argument.paramLabel().replaceAll("[<>]", "");
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }
}
