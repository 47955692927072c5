package io.millrace.bench;

import io.netty.util.Version;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs benchmarks and writes the results: {@code jmh.json} in JMH's form, and {@code jmh.md} with a table, the machine,
 * the JDK and the commit. A second table has ratios, if other libraries were measured with ours. Arguments:
 * {@code [--quick] [pattern ..]}. System properties: {@code millrace.jmh.out}, the directory to write to, and
 * {@code millrace.commit}.
 */
public final class RunBenchmarks {
    /** Flags for every benchmark's JVM: those of the relay, and no leak detection. */
    private static final String[] JVM_FLAGS = {
        "-Xmx512m",
        "-Djmh.executor=CUSTOM",
        "-Djmh.executor.class=" + EventLoopThreads.class.getName(),
        "--enable-native-access=ALL-UNNAMED",
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
        "-Dio.netty.tryReflectionSetAccessible=true",
        "-Dio.netty.allocator.type=pooled",
        "-Dio.netty.leakDetection.level=disabled"
    };

    /** The prefix of our benchmarks' names, if other libraries are measured with ours. */
    private static final String OURS = "millrace";

    private static final String ALLOCATED = "gc.alloc.rate.norm";

    private RunBenchmarks() {}

    /** Runs the benchmarks that match the patterns; all if there are no patterns. */
    public static void main(String[] args) throws IOException, RunnerException {
        List<String> patterns = new ArrayList<>(Arrays.asList(args));
        boolean quick = patterns.remove("--quick");
        Path out = Path.of(System.getProperty("millrace.jmh.out", "."));
        Files.createDirectories(out);
        ChainedOptionsBuilder options = new OptionsBuilder()
                .jvmArgs(JVM_FLAGS)
                .addProfiler(GCProfiler.class)
                .shouldFailOnError(true)
                .resultFormat(ResultFormatType.JSON)
                .result(out.resolve("jmh.json").toString());
        patterns.forEach(options::include);
        if (quick) {
            options.forks(1)
                    .warmupIterations(3)
                    .warmupTime(TimeValue.seconds(1))
                    .measurementIterations(5)
                    .measurementTime(TimeValue.milliseconds(300));
        }
        Collection<RunResult> results = new Runner(options.build()).run();
        Path table = out.resolve("jmh.md");
        try (var writer = new PrintStream(Files.newOutputStream(table), false, StandardCharsets.UTF_8)) {
            print(results, quick, writer);
        }
        System.out.println(Files.readString(table));
    }

    private static void print(Collection<RunResult> results, boolean quick, PrintStream out) throws IOException {
        out.printf(
                "Machine: %s, %d processors%n",
                processor(), Runtime.getRuntime().availableProcessors());
        out.printf("System: %s %s%n", System.getProperty("os.name"), System.getProperty("os.version"));
        out.printf("JDK: %s %s%n", System.getProperty("java.vm.vendor"), Runtime.version());
        out.printf("Netty: %s%n", Version.identify().get("netty-buffer").artifactVersion());
        out.printf("Commit: %s%n", System.getProperty("millrace.commit", "unknown"));
        out.printf("Date: %s%s%n%n", Instant.now().truncatedTo(ChronoUnit.MINUTES), quick ? ", a quick run" : "");
        out.println("| benchmark | parameters | ns/op | ± | median | best | B/op |");
        out.println("|---|---|---:|---:|---:|---:|---:|");
        for (RunResult result : results) {
            Result<?> time = result.getPrimaryResult();
            Result<?> allocated = result.getSecondaryResults().get(ALLOCATED);
            out.printf(
                    Locale.ROOT,
                    "| %s | %s | %s | %s | %s | %s | %s |%n",
                    name(result),
                    parameters(result),
                    number(time.getScore()),
                    number(time.getScoreError()),
                    number(median(result)),
                    number(best(result)),
                    number(allocated.getScore()));
        }
        List<RunResult> ours = results.stream()
                .filter(result -> method(result).startsWith(OURS))
                .toList();
        if (!ours.isEmpty()) {
            printRatios(results, ours, out);
        }
    }

    /** The ratio of other libraries' times to ours: of the medians, and of the best iterations. */
    private static void printRatios(Collection<RunResult> results, List<RunResult> ours, PrintStream out) {
        out.printf("%nTheirs / ours, by the medians and by the best iterations:%n%n");
        out.println("| theirs | ours | parameters | median | best |");
        out.println("|---|---|---|---:|---:|");
        for (RunResult our : ours) {
            for (RunResult their : results) {
                if (!method(their).startsWith(OURS) && comparable(our, their)) {
                    out.printf(
                            Locale.ROOT,
                            "| %s | %s | %s | %.2f | %.2f |%n",
                            method(their),
                            method(our),
                            parameters(our),
                            median(their) / median(our),
                            best(their) / best(our));
                }
            }
        }
    }

    private static boolean comparable(RunResult one, RunResult other) {
        return className(one).equals(className(other)) && parameters(one).equals(parameters(other));
    }

    private static double median(RunResult result) {
        return result.getPrimaryResult().getStatistics().getPercentile(50);
    }

    private static double best(RunResult result) {
        return result.getPrimaryResult().getStatistics().getMin();
    }

    private static String className(RunResult result) {
        String name = result.getParams().getBenchmark();
        return name.substring(0, name.lastIndexOf('.'));
    }

    private static String method(RunResult result) {
        String name = result.getParams().getBenchmark();
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /** The names of class and method, without packages. */
    private static String name(RunResult result) {
        String name = result.getParams().getBenchmark();
        return name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
    }

    private static String parameters(RunResult result) {
        return result.getParams().getParamsKeys().stream()
                .map(key -> result.getParams().getParam(key))
                .collect(Collectors.joining(" "));
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, Math.abs(value) < 10 ? "%.3f" : "%.1f", value);
    }

    private static String processor() throws IOException {
        Path cpuinfo = Path.of("/proc/cpuinfo");
        if (!Files.exists(cpuinfo)) {
            return System.getProperty("os.arch");
        }
        return Files.readAllLines(cpuinfo).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
    }
}
