package io.millrace.bench.run;

import io.millrace.bench.report.CsvWriter;
import io.millrace.bench.report.LiveView;
import io.millrace.bench.stats.RunResult;
import io.millrace.bench.stats.Runner;
import io.millrace.bench.stats.Slo;
import io.millrace.bench.stream.StreamPlan;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** Runs loads one after another. It passes each run to the live view and the CSV file. */
final class Session {
    private final Runner runner;
    private final @Nullable Slo slo;
    private final @Nullable CsvWriter csv;
    private final @Nullable PrintWriter live;
    private final boolean terminal;

    /**
     * @param csv null for none
     * @param live the output of the live view, null for none
     * @param terminal whether {@code live} is a terminal
     */
    Session(Runner runner, @Nullable Slo slo, @Nullable CsvWriter csv, @Nullable PrintWriter live, boolean terminal) {
        this.runner = runner;
        this.slo = slo;
        this.csv = csv;
        this.live = live;
        this.terminal = terminal;
    }

    /** The limits of a good stream; null if there are none. */
    @Nullable
    Slo slo() {
        return slo;
    }

    /** Whether the user has aborted it. Further runs then end at once. */
    boolean isAborted() {
        return runner.isAborted();
    }

    RunResult run(StreamPlan plan, String name) throws InterruptedException {
        if (csv != null) {
            csv.begin(name);
        }
        if (live == null) {
            return runner.run(plan, slo, csv, Runner.Watcher.NONE);
        }
        var view = new LiveView(live, terminal, name, plan.shape());
        try {
            return runner.run(plan, slo, csv, view);
        } finally {
            view.end();
        }
    }
}
