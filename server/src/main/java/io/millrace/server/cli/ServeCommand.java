package io.millrace.server.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs the relay until it is stopped. */
@Command(
        name = "serve",
        description = {
            "Runs the relay.",
            "SIGTERM or SIGINT lets streams end and exits with 0; a second one ends at once. SIGHUP reads the"
                    + " configuration again, for new requests; one that is wrong is reported and not used."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  millrace serve",
            "  millrace serve --listen 127.0.0.1:8080 --upstream http://127.0.0.1:9100",
            "  millrace serve --upstream https://api.anthropic.com \\",
            "      --dialect messages --model claude-sonnet-4-5",
            "  millrace serve millrace.yaml --access-log text",
            "Every flag has a variable, such as MILLRACE_LISTEN for --listen; flags win over variables, and both over"
                    + " the file. docs/configuration.md has it all."
        })
@SuppressWarnings("NullAway.Init") // picocli fills in what is not optional
final class ServeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private RelayOptions options;

    @Option(
            names = "--takeover",
            paramLabel = "PATH",
            description =
                    "Control socket of a running relay ('takeover' in its configuration): takes its listening sockets"
                            + " over. That one lets its streams end and exits. If this one cannot start, that one goes on.")
    private Path takeover;

    @Override
    public Integer call() throws InterruptedException {
        Serving.run(
                options.arguments().takingOver(takeover),
                spec.commandLine().getOut(),
                spec.commandLine().getErr());
        return 0;
    }
}
