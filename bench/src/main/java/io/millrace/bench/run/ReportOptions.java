package io.millrace.bench.run;

import io.millrace.bench.stats.Limit;
import io.millrace.bench.stats.Slo;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What to do with the results. */
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

    @Option(names = "--quiet", description = "Shows nothing while it runs.")
    boolean quiet;

    /** Null if there are no limits. */
    @Nullable
    Slo slo() {
        return slo == null ? null : Slo.parse(slo);
    }

    List<Limit> limits() {
        return failIf.stream().map(Limit::parse).toList();
    }
}
