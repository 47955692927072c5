package io.millrace.server.cli;

import io.millrace.server.access.KeyFormat;
import io.millrace.server.config.ClientSettings;
import io.millrace.server.config.file.ClientsLoader;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes keys of clients, and checks the file that has their hashes. It does not write files. */
@Command(
        name = "key",
        description = "Makes and checks the keys of clients.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {KeyCommand.New.class, KeyCommand.Hash.class, KeyCommand.Check.class},
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  millrace key new web",
            "      a key for the client web, and what the file of clients needs",
            "  millrace key check clients.yaml",
            "      the clients of the file, or everything that is wrong with it"
        })
@SuppressWarnings("NullAway.Init") // picocli fills in what is not optional
final class KeyCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    /** Prints the help, because no command is given. */
    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** Prints a new key, once. */
    @Command(
            name = "new",
            description = "Prints a new key on standard output, which is shown only now, and the entry for the file of"
                    + " clients on standard error.",
            mixinStandardHelpOptions = true,
            versionProvider = Version.class)
    static final class New implements Runnable {
        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "NAME", description = "The client's name.")
        private String name;

        @Override
        public void run() {
            ClientSettings client = ClientSettings.of(name);
            String key = KeyFormat.generate(new SecureRandom());
            PrintWriter err = spec.commandLine().getErr();
            err.println("clients:");
            err.println("  " + client.name() + ":");
            err.println("    keys:");
            err.println("      - sha256: " + KeyFormat.hash(key));
            err.flush();
            spec.commandLine().getOut().println(key);
            spec.commandLine().getOut().flush();
        }
    }

    /**
     * Hashes a key from standard input. The key is not an argument, because other users of the machine can see
     * arguments.
     */
    @Command(
            name = "hash",
            description = "Reads a key from standard input, and prints its hash for the file of clients.",
            mixinStandardHelpOptions = true,
            versionProvider = Version.class)
    static final class Hash implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Override
        public Integer call() throws IOException {
            var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            String key = in.readLine();
            String hash;
            try {
                hash = KeyFormat.hash(key == null ? "" : key.strip());
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("standard input: " + e.getMessage(), e);
            }
            spec.commandLine().getOut().println(hash);
            spec.commandLine().getOut().flush();
            return 0;
        }
    }

    /** Checks a file of clients and prints a summary. */
    @Command(
            name = "check",
            description = "Prints the clients of a file and when their keys expire, or everything that is wrong with it"
                    + " (exit code 1).",
            mixinStandardHelpOptions = true,
            versionProvider = Version.class)
    static final class Check implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "FILE", description = "The file of clients.")
        private Path file;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            for (ClientSettings client : ClientsLoader.load(file)) {
                out.println(client.name() + ": " + (client.disabled() ? "disabled" : describe(client.keys())));
            }
            out.flush();
            return 0;
        }

        private static String describe(List<ClientSettings.Key> keys) {
            long valid = keys.stream()
                    .filter(key -> key.expires() == null || key.expires().isAfter(Instant.now()))
                    .count();
            String last = keys.stream()
                    .filter(key -> key.expires() != null)
                    .map(key -> key.expires().toString())
                    .reduce((one, other) -> one + ", " + other)
                    .map(times -> ", which expire " + times)
                    .orElse("");
            return valid + " of " + keys.size() + (keys.size() == 1 ? " key is valid" : " keys are valid") + last;
        }
    }
}
