package io.millrace.server.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
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
            "  millrace completion fish | source",
            "The distribution has the scripts in share/, for all users of a machine."
        })
@SuppressWarnings("NullAway.Init") // picocli fills in what is not optional
final class CompletionCommand implements Callable<Integer> {
    /** What may be named, for the scripts themselves. */
    static final class Shells extends ArrayList<String> {
        private static final long serialVersionUID = 1;

        Shells() {
            super(List.of("bash", "zsh", "fish"));
        }
    }

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.", completionCandidates = Shells.class)
    private String shell;

    @Override
    public Integer call() {
        var root = spec.root().commandLine();
        var out = spec.commandLine().getOut();
        out.print(
                switch (shell.toLowerCase(Locale.ROOT)) {
                    case "bash" -> CompletionScripts.bash(root);
                    case "zsh" -> CompletionScripts.zsh(root);
                    case "fish" -> CompletionScripts.fish(root);
                    default ->
                        throw new CommandLine.ParameterException(
                                spec.commandLine(), "SHELL: " + shell + " (expected: bash, zsh or fish)");
                });
        out.flush();
        return 0;
    }
}
