package io.millrace.server.cli;

import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.warmup.PracticeCertificate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Makes the file from which the JVM starts the relay quickly. It contains the relay's classes, linked. From JDK 25 on
 * it also contains profiles of the methods of the data path, so that these are compiled at once. The relay that is
 * observed runs in a process of its own and streams from a mock in this process. Otherwise the file would contain the
 * mock's profiles too.
 */
@Command(
        name = "train",
        description = {
            "Makes later starts quick: runs streams through a relay for some seconds and keeps what the JVM learns.",
            "The launcher chooses the file, and uses it from then on. Run this again for another JDK or build of"
                    + " millrace; until then the old file is ignored."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
@SuppressWarnings("NullAway.Init") // picocli fills in what is not optional
final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--output",
            paramLabel = "FILE",
            required = true,
            description =
                    "The file. Chosen by the launcher: in $MILLRACE_CACHE, otherwise in Millrace's directory cache.")
    private Path output;

    @Override
    public Integer call() throws IOException, InterruptedException {
        long startNs = System.nanoTime();
        Path target = output.toAbsolutePath();
        Path directory = Files.createDirectories(target.getParent());
        Path work = Files.createTempDirectory(directory, ".train");
        try {
            Path made = work.resolve("cache");
            int requests = train(made, work.resolve("millrace.yaml"));
            Path size = Files.writeString(work.resolve("size"), Long.toString(Files.size(made)));
            // Replaces the file in one step, because another process may start at this moment.
            replace(made, target);
            replace(size, sizeOf(target));
            deleteOthers(target);
            var out = spec.commandLine().getOut();
            out.printf(
                    "millrace: trained with %d requests in %d s: %s, %d MiB%n",
                    requests,
                    TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNs),
                    output,
                    Files.size(target) >> 20);
            out.flush();
            return 0;
        } finally {
            deleteAll(work);
        }
    }

    private static int train(Path made, Path config) throws IOException, InterruptedException {
        try (var mock = MockServer.start(MockConfig.defaults());
                var certificate = PracticeCertificate.make()) {
            Files.writeString(config, TrainingLoad.config(mock.uri(), certificate));
            try (var relay = TrainedProcess.start(made, config)) {
                int requests = TrainingLoad.run(relay.addresses(), certificate.trust());
                relay.finish();
                return requests;
            }
        } catch (GeneralSecurityException e) {
            throw new IOException("no certificate can be made to train with", e);
        }
    }

    /** The file that tells the launcher the size that the archive must have. */
    private static Path sizeOf(Path target) {
        return target.resolveSibling(target.getFileName() + ".size");
    }

    private static void replace(Path made, Path target) throws IOException {
        Files.move(made, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** The archives of other builds. A name ends in a dash and the build. */
    private static void deleteOthers(Path target) throws IOException {
        String name = target.getFileName().toString();
        String prefix = name.substring(0, name.lastIndexOf('-') + 1);
        if (prefix.isEmpty()) {
            return;
        }
        try (var files = Files.newDirectoryStream(target.getParent(), prefix + "*")) {
            for (Path file : files) {
                if (!file.equals(target) && !file.equals(sizeOf(target))) {
                    Files.delete(file);
                }
            }
        }
    }

    private static void deleteAll(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
