package io.millrace.bench.run;

import io.millrace.bench.report.JsonReport;
import io.millrace.bench.report.Subject;
import io.millrace.bench.report.TextReport;
import io.millrace.bench.stats.Limit;
import io.millrace.bench.stats.RunResult;
import io.millrace.bench.stats.Runner;
import io.millrace.bench.stats.Verdict;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.server.Transport;
import io.millrace.server.cli.Build;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures the streams of any OpenAI-, Anthropic- or Gemini-compatible endpoint under load. */
@Command(
        name = "bench",
        description = "Measures streams under load: time to first token, gaps, throughput, errors.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExit codes: 0 measured; 1 a --fail-if holds, or no stream completed; 2 wrong usage; 3 a"
                + " --fail-if was asked for and the client was not fit to tell.%n%nExamples:%n",
        footer = {
            "  millrace bench --url http://127.0.0.1:8080/v1 --model mock --concurrency 10",
            "  millrace bench --url https://api.openai.com/v1 --model gpt-4.1-mini \\",
            "      --api-key-env OPENAI_API_KEY --rate 2 --requests 100 --max-tokens 200",
            "  millrace bench --url http://127.0.0.1:8080/v1 --rate 50 --fail-if 'ttft.p99>800ms'",
            "docs/metrics.md says what every figure means."
        })
public final class BenchCommand implements Callable<Integer> {
    private static final int UNFIT = 3;

    @Spec
    private CommandSpec spec;

    @Mixin
    private TargetOptions target;

    @Mixin
    private LoadOptions load;

    @Mixin
    private ReportOptions report;

    @Option(names = "--threads", paramLabel = "N", defaultValue = "1", description = "Event loops of this client.")
    private int threads;

    @Option(names = "--transport", paramLabel = "NAME", description = "epoll, io_uring, kqueue or nio.")
    private String transport;

    /** Measures, prints the table, writes the files. */
    @Override
    public Integer call() throws IOException, InterruptedException {
        if (target.url == null) {
            throw wrong("--url is missing");
        }
        List<Limit> limits;
        Subject subject;
        try (var runner = new Runner(transport(), threads())) {
            limits = report.limits();
            subject = measure(runner);
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(TextReport.of(subject));
        if (report.json != null) {
            JsonReport.write(report.json, subject);
        }
        int code = judge(subject.points(), limits, out);
        out.flush();
        return code;
    }

    private Subject measure(Runner runner) throws IOException, InterruptedException {
        var shapes = load.shapes();
        var slo = report.slo();
        StreamPlan plan = new Plans(target, load).plan(target.url);
        var points = new ArrayList<RunResult>();
        for (var shape : shapes) {
            points.add(runner.run(plan.withShape(shape), slo, null, Runner.Watcher.NONE));
        }
        var endpoint = plan.template().endpoint();
        return new Subject(
                Build.version(),
                endpoint.url(),
                endpoint.dialect().name().toLowerCase(Locale.ROOT),
                target.model,
                load.words(shapes),
                "",
                points);
    }

    private static int judge(List<RunResult> points, List<Limit> limits, PrintWriter out) {
        boolean failed = false;
        for (var point : points) {
            for (var limit : limits) {
                if (limit.holds(point)) {
                    failed = true;
                    out.printf(
                            Locale.ROOT,
                            "FAILED at %s: %s, it is %.6g%n",
                            point.shape().label(),
                            limit.text(),
                            limit.value(point));
                }
            }
        }
        if (failed || points.stream().allMatch(point -> point.completed() == 0)) {
            return 1;
        }
        boolean unfit = points.stream().anyMatch(point -> point.verdict().grade() == Verdict.Grade.INVALID);
        return unfit && !limits.isEmpty() ? UNFIT : 0;
    }

    private Transport transport() {
        return transport == null ? Transport.best() : Transport.named(transport);
    }

    private int threads() {
        if (threads < 1 || threads > 64) {
            throw new IllegalArgumentException("--threads: " + threads + " (expected: 1-64)");
        }
        return threads;
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
