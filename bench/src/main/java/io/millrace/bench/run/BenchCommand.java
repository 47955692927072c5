package io.millrace.bench.run;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bench.report.Answer;
import io.millrace.bench.report.Comparison;
import io.millrace.bench.report.CsvWriter;
import io.millrace.bench.report.HdrLog;
import io.millrace.bench.report.HtmlReport;
import io.millrace.bench.report.JsonReport;
import io.millrace.bench.report.Origin;
import io.millrace.bench.report.Subject;
import io.millrace.bench.report.TextReport;
import io.millrace.bench.stats.Limit;
import io.millrace.bench.stats.RunResult;
import io.millrace.bench.stats.Runner;
import io.millrace.bench.stats.Slo;
import io.millrace.bench.stats.Verdict;
import io.millrace.bench.stream.Sessions;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.server.cli.Build;
import io.millrace.server.cli.Signals;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code millrace bench}: measures the streams of any OpenAI-, Anthropic- or Gemini-compatible endpoint under load. */
@Command(
        name = "bench",
        description = "Measures streams under load: time to first token, gaps, throughput, errors.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading =
                "%nExit codes: 0 measured; 1 a --fail-if holds, or no stream completed; 2 wrong usage; 3 the"
                        + " client was not fit to tell for a --fail-if, or there were too few values for it, or where --find-max ends; 130 stopped by Ctrl-C.%n%nExamples:%n",
        footer = {
            "  millrace bench --url http://127.0.0.1:8080/v1 --model mock --concurrency 10",
            "  millrace bench --url https://api.openai.com/v1 --model gpt-4.1-mini \\",
            "      --api-key-env OPENAI_API_KEY --rate 2 --requests 100 --max-tokens 200",
            "  millrace bench --url http://127.0.0.1:8080/v1 --concurrency 8 \\",
            "      --turns uniform:3-10 --think exp:5s --tool-turns 60%% --tool-time 1s",
            "  millrace bench --url http://127.0.0.1:8080/v1 --rate 50 \\",
            "      --baseline http://127.0.0.1:9100/v1",
            "  millrace bench --url http://127.0.0.1:8080/v1 --rate 50 \\",
            "      --fail-if 'ttft.p99>800ms'",
            "docs/metrics.md says what every figure means."
        })
@SuppressWarnings("NullAway.Init") // picocli sets the options
public final class BenchCommand implements Callable<Integer> {
    static final int UNFIT = 3;
    private static final int MOST_THREADS = 64;
    /** The exit code that a shell reports for a process that SIGINT ended. */
    static final int INTERRUPTED = 130;

    @Spec
    private CommandSpec spec;

    @Mixin(name = "Target")
    private TargetOptions target;

    @Mixin(name = "Load")
    private LoadOptions load;

    @Mixin(name = "Sessions")
    private SessionOptions sessionOptions;

    @Mixin(name = "Modes")
    private Modes modes;

    @Mixin(name = "Report")
    private ReportOptions report;

    @Option(names = "--threads", paramLabel = "N", defaultValue = "1", description = "Event loops of this client.")
    private int threads;

    private @Nullable Sessions sessions;

    @Option(names = "--transport", paramLabel = "NAME", description = "epoll, io_uring, kqueue or nio.")
    private @Nullable String transport;

    /** The result, the answer that it was made for, and the content of the JSON file. */
    private record Outcome(Subject subject, Answer answer, ObjectNode json, boolean known) {
        Outcome(Subject subject, Answer answer, ObjectNode json) {
            this(subject, answer, json, true);
        }
    }

    /** Measures, prints the table, and writes the files. */
    @Override
    public Integer call() throws IOException, InterruptedException {
        try {
            return modes.compare == null ? measureAndReport() : compare(modes.compare);
        } catch (Baseline.NothingMeasured e) {
            spec.commandLine().getErr().println("millrace: " + e.getMessage());
            return INTERRUPTED;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private int compare(Path[] files) throws IOException {
        var out = spec.commandLine().getOut();
        out.print(Comparison.of(files[0], files[1]));
        out.flush();
        return 0;
    }

    private int measureAndReport() throws IOException, InterruptedException {
        if (target.url == null) {
            throw new IllegalArgumentException("--url is missing");
        }
        var limits = report.limits();
        report.createFiles();
        var outcome = measure();
        PrintWriter out = spec.commandLine().getOut();
        out.print(TextReport.of(outcome.subject, outcome.answer, report.explain));
        out.flush(); // print the table even if a file cannot be written
        if (report.json != null) {
            JsonReport.write(report.json, outcome.json);
        }
        if (report.hdr != null) {
            HdrLog.write(report.hdr, outcome.subject.points());
        }
        if (report.html != null) {
            HtmlReport.write(report.html, outcome.subject, outcome.answer);
        }
        int code = judge(outcome.subject.points(), limits, out);
        code = code == 0 && !outcome.known ? UNFIT : code;
        code = outcome.subject.interrupted() ? INTERRUPTED : code;
        out.flush();
        return code;
    }

    private Outcome measure() throws IOException, InterruptedException {
        var slo = report.slo();
        sessions = sessionOptions.sessions(target, load);
        checkModes(slo);
        load.shapes();
        StreamPlan plan = plans().plan(requireNonNull(target.url));
        try (var csv = report.csv == null ? null : new CsvWriter(report.csv);
                var runner = new Runner(transport(), threads())) {
            Signals.on("INT", () -> stop(runner));
            var live = report.quiet ? null : spec.commandLine().getErr();
            return run(new Session(runner, slo, csv, live, isTerminal()), plan);
        }
    }

    /** The first signal ends the run, and the command reports the results so far. The second one ends the process. */
    private static void stop(Runner runner) {
        if (runner.isAborted()) {
            Runtime.getRuntime().halt(INTERRUPTED);
        }
        runner.abort();
    }

    /** Whether standard error is a terminal; false if that is not known. */
    private static boolean isTerminal() {
        try {
            var device = Files.readSymbolicLink(Path.of("/proc/self/fd/2"));
            return (device.startsWith("/dev/pts") || device.toString().startsWith("/dev/tty"))
                    && !"dumb".equals(System.getenv("TERM"));
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    private Outcome run(Session session, StreamPlan plan) throws IOException, InterruptedException {
        if (modes.findMax) {
            return findMax(session, plan);
        }
        if (modes.baseline != null) {
            return withBaseline(session, plan);
        }
        var points = new ArrayList<RunResult>();
        for (var shape : load.shapes()) {
            if (points.isEmpty() || !session.isAborted()) {
                points.add(session.run(plan.withShape(shape), shape.label()));
            }
        }
        var subject = subject(session, plan, points);
        return new Outcome(subject, Answer.NONE, JsonReport.of(subject));
    }

    private Plans plans() {
        return new Plans(target, load, sessions);
    }

    private Outcome findMax(Session session, StreamPlan plan) throws InterruptedException {
        double share = LoadOptions.fraction("--slo-share", modes.sloShare);
        var search = MaxSearch.run(session, plan, plan.shape(), share);
        var subject = subject(session, plan, search.points());
        var json = JsonReport.of(subject);
        search.put(json);
        String text = search.text(modes.sloShare + " of the streams keep " + session.slo());
        return new Outcome(subject, Answer.ofRate(search.best(), text), json, search.isKnown());
    }

    private Outcome withBaseline(Session session, StreamPlan plan) throws IOException, InterruptedException {
        var other = plans().plan(requireNonNull(modes.baseline));
        var both = Baseline.measure(session, other, plan, plan.shape(), modes.pairs);
        var subject = subject(session, plan, List.of(both.ofTarget()));
        var json = JsonReport.of(subject);
        var node = json.putObject("baseline");
        String url = other.template().endpoint().url();
        node.put("base_url", url);
        node.set(
                "result",
                JsonReport.of(subject(session, other, List.of(both.ofBaseline())))
                        .at("/points/0"));
        both.difference().put(node.putObject("added_ms"));
        return new Outcome(subject, both.difference().answer(url, subject.url()), json);
    }

    private void checkModes(@Nullable Slo slo) {
        if (modes.findMax && slo == null) {
            throw new IllegalArgumentException("--find-max: no --slo (expected: the limits to keep)");
        }
        if (modes.findMax && modes.baseline != null) {
            throw new IllegalArgumentException("--find-max and --baseline (expected: one of them)");
        }
        if ((modes.findMax || modes.baseline != null) && load.shapes().size() > 1) {
            throw new IllegalArgumentException("--find-max, --baseline: several loads (expected: one)");
        }
    }

    private Subject subject(Session session, StreamPlan plan, List<RunResult> points) {
        var endpoint = plan.template().endpoint();
        return new Subject(
                Build.version(),
                endpoint.url(),
                endpoint.dialect().name().toLowerCase(Locale.ROOT),
                target.protocolWords() + (endpoint.tls() ? " over TLS" : ""),
                target.model,
                load.words(points.stream().map(RunResult::shape).toList()) + sessionOptions.words(sessions),
                points,
                Origin.of(spec.commandLine().getParseResult().originalArgs(), target.promptWords()),
                session.isAborted());
    }

    private int judge(List<RunResult> points, List<Limit> limits, PrintWriter out) {
        boolean failed = false;
        boolean untold = false;
        for (var point : points) {
            for (var limit : limits) {
                if (!limit.isTold(point)) {
                    untold = true;
                    out.printf(
                            Locale.ROOT,
                            "NOT JUDGED at %s: %s, there are too few values for this percentile%n",
                            point.shape().label(),
                            limit.text());
                } else if (limit.holds(point)) {
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
        return untold || (unfit && !limits.isEmpty()) ? UNFIT : 0;
    }

    private Transport transport() {
        return transport == null ? Transport.best() : Transport.named(transport);
    }

    private int threads() {
        if (threads < 1 || threads > MOST_THREADS) {
            throw new IllegalArgumentException("--threads: " + threads + " (expected: 1-" + MOST_THREADS + ")");
        }
        return threads;
    }
}
