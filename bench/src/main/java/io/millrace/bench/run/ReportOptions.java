package io.millrace.bench.run;

import io.millrace.bench.stats.Limit;
import io.millrace.bench.stats.Slo;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the reports. */
final class ReportOptions {
    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Everything, with the keys of vLLM's benchmark at the top.")
    @Nullable
    Path json;

    @Option(names = "--csv", paramLabel = "FILE", description = "A line for each measured stream.")
    @Nullable
    Path csv;

    @Option(names = "--hdr", paramLabel = "FILE", description = "The histograms, as an HDR log.")
    @Nullable
    Path hdr;

    @Option(names = "--html", paramLabel = "FILE", description = "One page with plots; it needs no other file.")
    @Nullable
    Path html;

    @Option(
            names = "--slo",
            paramLabel = "LIMITS",
            description = "What a good stream keeps, for goodput: ttft=500ms,itl=50ms, of ttft, ttft_sent, tpot, e2e,"
                    + " itl (mean gap), gap (longest).")
    private @Nullable String slo;

    @Option(
            names = "--fail-if",
            paramLabel = "CONDITION",
            description = "Exit code 1 if the condition holds for any amount of load: 'ttft.p99>800ms', 'errors>1%%',"
                    + " 'request_throughput<10'.")
    private List<String> failIf = List.of();

    @Option(names = "--explain", description = "Print every figure of each load, and what the figures mean.")
    boolean explain;

    @Option(names = "--quiet", description = "Shows nothing while it runs.")
    boolean quiet;

    /** The limits of a good stream; null if there are none. */
    @Nullable
    Slo slo() {
        return slo == null ? null : Slo.parse(slo);
    }

    /**
     * Creates the requested files, so that a wrong path ends the command before the first request.
     *
     * @throws IllegalArgumentException naming the option, the file and the reason
     */
    void createFiles() {
        create("--json", json);
        create("--csv", csv);
        create("--hdr", hdr);
        create("--html", html);
    }

    private static void create(String option, @Nullable Path file) {
        if (file == null) {
            return;
        }
        try {
            Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)
                    .close();
        } catch (IOException e) {
            throw new IllegalArgumentException(option + ": " + file + ": " + reason(file, e), e);
        }
    }

    private static String reason(Path file, IOException failure) {
        if (failure instanceof NoSuchFileException) {
            return "its directory does not exist";
        }
        return Files.isDirectory(file)
                ? "is a directory (expected: a file)"
                : failure instanceof AccessDeniedException
                        ? "permission denied"
                        : "cannot be written: " + failure.getMessage();
    }

    List<Limit> limits() {
        return failIf.stream().map(Limit::parse).toList();
    }
}
