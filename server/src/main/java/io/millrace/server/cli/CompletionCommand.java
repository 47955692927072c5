package io.millrace.server.cli;

import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints what makes a shell complete Millrace's commands and options. */
@Command(
        name = "completion",
        description = "Prints the completion script of a shell.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  source <(millrace completion bash)",
            "  source <(millrace completion zsh)",
            "  millrace completion fish | source"
        })
@SuppressWarnings("NullAway.Init") // picocli fills in what is not optional
final class CompletionCommand implements Callable<Integer> {
    /** The shells. */
    enum Shell {
        /** Also what the script of zsh is made of. */
        BASH,
        /** With its emulation of bash's completion. */
        ZSH,
        /** In its own language. */
        FISH
    }

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
    private String shell;

    @Override
    public Integer call() {
        var root = spec.root().commandLine();
        var out = spec.commandLine().getOut();
        out.print(
                switch (named()) {
                    case BASH -> AutoComplete.bash("millrace", root);
                    case ZSH ->
                        "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"
                                + AutoComplete.bash("millrace", root);
                    case FISH -> fish(root);
                });
        out.flush();
        return 0;
    }

    private Shell named() {
        try {
            return Shell.valueOf(shell.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "SHELL: " + shell + " (expected: bash, zsh or fish)", e);
        }
    }

    private static String fish(CommandLine root) {
        var script = new StringBuilder("complete -c millrace -e\n");
        root.getSubcommands().forEach((name, command) -> {
            script.append("complete -c millrace -n __fish_use_subcommand -f -a ")
                    .append(name)
                    .append(description(command.getCommandSpec().usageMessage().description()))
                    .append('\n');
            for (OptionSpec option : command.getCommandSpec().options()) {
                script.append("complete -c millrace -n '__fish_seen_subcommand_from ")
                        .append(name)
                        .append("' -l ")
                        .append(option.longestName().replaceFirst("^-+", ""))
                        .append(option.arity().max() > 0 ? " -r" : "")
                        .append(description(option.description()))
                        .append('\n');
            }
        });
        return script.toString();
    }

    /** The first sentence, quoted. */
    private static String description(String... lines) {
        String text =
                lines.length == 0 ? "" : lines[0].replaceAll("\\. .*|\\.$", "").replace("%%", "%");
        return text.isEmpty() ? "" : " -d '" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
