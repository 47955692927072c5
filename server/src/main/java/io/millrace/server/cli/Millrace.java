package io.millrace.server.cli;

import io.millrace.server.config.file.ConfigException;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.List;
import java.util.ServiceLoader;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The launcher. docs/configuration.md has the table of exit codes. */
@Command(
        name = "millrace",
        description = "Relays token streams (Server-Sent Events) between LLM clients and providers.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            ServeCommand.class,
            MockCommand.class,
            CheckCommand.class,
            HealthCommand.class,
            KeyCommand.class,
            TrainCommand.class,
            CompletionCommand.class,
            CommandLine.HelpCommand.class
        },
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  millrace serve",
            "      to the providers whose OPENAI_API_KEY, ANTHROPIC_API_KEY or",
            "      GEMINI_API_KEY is set; with none, to an embedded mock LLM",
            "  millrace serve --listen 127.0.0.1:8080 --upstream http://127.0.0.1:9100",
            "      in front of anything, with the clients' own credentials",
            "  millrace check millrace.yaml",
            "      the effective configuration, or everything that is wrong with it",
            "  millrace serve --help",
            "      the options of a command"
        })
public final class Millrace implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    private Millrace() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] args) {
        setNettyDefaults();
        System.exit(run(args));
    }

    /**
     * A plain {@code serve} does not need the command line library, whose loading takes longer than everything else in
     * a start.
     */
    private static int run(String[] args) {
        var serve = RelayArguments.ofPlainServe(List.of(args));
        if (serve == null) {
            return commandLine().execute(args);
        }
        try {
            Serving.run(
                    serve,
                    new PrintWriter(System.out, true, Charset.defaultCharset()),
                    new PrintWriter(System.err, true, Charset.defaultCharset()));
            return 0;
        } catch (Exception e) {
            return tell(e, new PrintWriter(System.err, true, Charset.defaultCharset()));
        }
    }

    /**
     * System properties that Netty reads when its classes load. Those that are set on the JVM's command line stay. The
     * pooled allocator is used because Netty's adaptive allocator is new. Leak detection is off because the tests do
     * it. Reflection lets Netty take and free direct buffers at once: with the JDK's API, an event loop that finds no
     * memory left would sleep for half a second each time.
     */
    private static void setNettyDefaults() {
        setDefault("io.netty.allocator.type", "pooled");
        setDefault("io.netty.leakDetection.level", "disabled");
        setDefault("io.netty.tryReflectionSetAccessible", "true");
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** The command line with the commands of all modules on the class path. */
    static CommandLine commandLine() {
        var commandLine = new CommandLine(new Millrace());
        for (var provider : ServiceLoader.load(CommandProvider.class)) {
            provider.commands().forEach(commandLine::addSubcommand);
        }
        if ("dumb".equals(System.getenv("TERM"))) {
            commandLine.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
        }
        return commandLine
                .setHelpFactory(GroupedHelp::new)
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler((wrong, arguments) -> explain(wrong))
                .setExecutionExceptionHandler((failure, failed, parsed) -> tell(failure, failed.getErr()));
    }

    /** Prints the help, because no command is given. */
    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** Prints what is wrong, a suggestion and where to read on. The whole help would hide the message. */
    private static int explain(ParameterException wrong) {
        var command = wrong.getCommandLine();
        var err = command.getErr();
        if (wrong instanceof UnmatchedArgumentException unmatched
                && !unmatched.isUnknownOption()
                && !command.getSubcommands().isEmpty()) {
            err.println("millrace: '" + unmatched.getUnmatched().get(0) + "' is no command");
        } else {
            err.println("millrace: " + message(wrong));
        }
        UnmatchedArgumentException.printSuggestions(wrong, err);
        err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        err.flush();
        return CommandLine.ExitCode.USAGE;
    }

    /** The value of an option that is not known is no option. */
    private static String message(ParameterException wrong) {
        if (wrong instanceof UnmatchedArgumentException unmatched && unmatched.isUnknownOption()) {
            return "Unknown option: '" + unmatched.getUnmatched().get(0) + "'";
        }
        return String.valueOf(wrong.getMessage());
    }

    private static int tell(Exception failure, PrintWriter err) {
        if (failure instanceof ConfigException e) {
            e.details().forEach(err::println);
            err.flush();
            return e.isOfFlags() ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
        } else {
            err.println("millrace: " + messageOf(failure));
            if (System.getenv("MILLRACE_DEBUG") != null) {
                failure.printStackTrace(err);
            }
        }
        err.flush();
        return 1;
    }

    private static String messageOf(Throwable failure) {
        return failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }
}
