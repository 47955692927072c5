package io.millrace.bench.run;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for modes other than a sequence of loads. */
@SuppressWarnings("NullAway.Init") // picocli sets the options
final class Modes {
    @Option(
            names = "--baseline",
            paramLabel = "URL",
            description = "Another way to the same model, such as past a proxy: both are measured in turns, and the"
                    + " report has what --url adds, with its confidence interval.")
    @Nullable
    String baseline;

    @Option(
            names = "--pairs",
            paramLabel = "N",
            defaultValue = "10",
            description = "With --baseline: how many pairs of runs share the duration. Default ${DEFAULT-VALUE}.")
    int pairs;

    @Option(
            names = "--find-max",
            description =
                    "Searches the highest rate at which --slo-share of all streams keep --slo; begins at --rate, or"
                            + " 1.")
    boolean findMax;

    @Option(
            names = "--slo-share",
            paramLabel = "SHARE",
            defaultValue = "99%",
            description = "With --find-max. Default ${DEFAULT-VALUE}.")
    String sloShare;

    @Option(
            names = "--compare",
            arity = "2",
            paramLabel = "FILE",
            description =
                    "Shows two files of --json beside each other; measures nothing. Each may also be of vLLM's bench"
                            + " serve or of AIPerf (profile_export_aiperf.json).")
    Path @Nullable [] compare;
}
