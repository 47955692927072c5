package io.millrace.bench.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Tag("sockets")
class ModesTest {
    private static MockServer quick;
    private static MockServer slow;

    @TempDir
    private Path directory;

    @BeforeAll
    static void start() {
        quick = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("tokens=5")));
        slow = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("tokens=5,ttft_ms=300")));
    }

    @AfterAll
    static void stop() {
        quick.close();
        slow.close();
    }

    private static String run(int code, String arguments) {
        var out = new StringWriter();
        var command =
                new CommandLine(new BenchCommand()).setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
        assertThat(command.execute(arguments.strip().split(" ")))
                .as(out::toString)
                .isEqualTo(code);
        return out.toString();
    }

    private static String url(MockServer mock) {
        return "http://127.0.0.1:" + mock.port() + "/v1";
    }

    @Test
    void writesEveryFile() throws Exception {
        var csv = directory.resolve("a.csv");
        var hdr = directory.resolve("a.hdr");
        var html = directory.resolve("a.html");
        run(
                0,
                "--quiet --warmup 0s --requests 6 --concurrency 1,2 --url " + url(quick) + " --csv " + csv + " --hdr "
                        + hdr + " --html " + html);

        var lines = Files.readAllLines(csv);
        assertThat(lines).hasSize(1 + 6 + 6);
        int columns = lines.get(0).split(",", -1).length;
        assertThat(lines).allMatch(line -> line.split(",", -1).length == columns);
        assertThat(lines.get(1)).startsWith("1 stream,0,completed,,plain,200,");
        long first = 0;
        try (var log = new HistogramLogReader(hdr.toFile())) {
            for (var histogram = log.nextIntervalHistogram();
                    histogram != null;
                    histogram = log.nextIntervalHistogram()) {
                if (histogram.getTag().startsWith("ttft@")) {
                    first += ((Histogram) histogram).getTotalCount();
                }
            }
        }
        assertThat(first).isEqualTo(12);
        String page = Files.readString(html);
        assertThat(page)
                .contains("<svg", "timeline of streams", "Inter-token latency by load".toLowerCase(Locale.ROOT))
                .contains("prefers-color-scheme: dark", "What the figures mean")
                .doesNotContain("<script", "src=", "NaN")
                .doesNotContainPattern("(href|url)[=(]\"?(https?:)?//");
    }

    @Test
    void marksARunThatTheUserStops() throws Exception {
        var json = directory.resolve("stopped.json");
        var html = directory.resolve("stopped.html");
        try (var patient = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("tokens=5,stall_after=2")))) {
            var signal = new Thread(() -> {
                await().until(() -> patient.stats().activeStreams() >= 2);
                interrupt();
            });
            signal.start();
            String out = run(
                    130,
                    "--quiet --warmup 0s --duration 300s --concurrency 2 --url " + url(patient) + " --json " + json
                            + " --html " + html);
            signal.join();
            assertThat(out).contains("INTERRUPTED", " s of 5m", "0 failed, 2 cut at the end");
        }
        var report = new ObjectMapper().readTree(Files.readAllBytes(json));
        assertThat(report.path("interrupted").booleanValue()).isTrue();
        assertThat(report.at("/points/0/interrupted_streams").intValue()).isEqualTo(2);
        assertThat(report.path("failed").intValue()).isZero();
        assertThat(Files.readString(html)).contains("INTERRUPTED", "stopped by the user after");
    }

    private static void interrupt() {
        try {
            var signal = Class.forName("sun.misc.Signal");
            signal.getMethod("raise", signal)
                    .invoke(null, signal.getConstructor(String.class).newInstance("INT"));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void tellsWhatATargetAdds() throws Exception {
        var json = directory.resolve("added.json");
        var html = directory.resolve("added.html");
        String out = run(
                0,
                "--quiet --warmup 0s --requests 12 --pairs 3 --concurrency 2 --url " + url(slow) + " --baseline "
                        + url(quick) + " --json " + json + " --html " + html);

        String page = Files.readString(html);
        assertThat(page)
                .contains("Added by " + url(slow), "<td>ttft_sent</td><td>+", ">baseline</span>", "baseline p50")
                .doesNotContain("Output frames a second", "NaN");
        assertThat(page.indexOf("What is added")).isLessThan(page.indexOf("class=\"tiles\""));
        assertThat(out.indexOf("added by")).isBetween(0, out.indexOf("ttft ms"));
        assertThat(out).contains("added by " + url(slow), "over " + url(quick), "mean of 3 pairs");
        var added = new ObjectMapper().readTree(Files.readAllBytes(json)).at("/baseline/added_ms");
        // A slow machine may delay either of the two.
        assertThat(added.at("/ttft_sent/p50/mean").doubleValue()).isBetween(100.0, 600.0);
        assertThat(added.at("/ttft_sent/p50/ci95").size()).isEqualTo(2);
        assertThat(added.path("pairs").intValue()).isEqualTo(3);
    }

    @Test
    void comparesTwoFiles() {
        var a = directory.resolve("a.json");
        var b = directory.resolve("b.json");
        run(0, "--quiet --warmup 0s --requests 8 --concurrency 2 --url " + url(quick) + " --json " + a);
        run(0, "--quiet --warmup 0s --requests 8 --concurrency 2 --url " + url(slow) + " --json " + b);

        String out = run(0, "--compare " + a + " " + b);

        assertThat(out)
                .contains("A  a.json", "B  b.json")
                .containsPattern("ttft p50 ms +[0-9.]+ +[0-9,.]+ +\\+[0-9.]+");
        assertThat(out).containsPattern("completed_per_s .* -").doesNotContain("p99");
        assertThat(run(2, "--compare " + a + " " + writeNothing())).contains("expected: a file that millrace bench");
    }

    @Test
    void comparesOnlyWhatIsAlike() {
        var sweep = directory.resolve("sweep.json");
        var open = directory.resolve("open.json");
        var one = directory.resolve("one.json");
        run(0, "--quiet --warmup 0s --requests 4 --concurrency 1,2,3 --url " + url(quick) + " --json " + sweep);
        run(0, "--quiet --warmup 0s --requests 4 --rate 100 --url " + url(quick) + " --json " + open);
        run(0, "--quiet --warmup 0s --requests 4 --concurrency 3 --url " + url(quick) + " --json " + one);

        assertThat(run(2, "--compare " + sweep + " " + open)).contains("a closed loop and an open loop");
        assertThat(run(0, "--compare " + sweep + " " + one))
                .contains("== 3 streams")
                .doesNotContain("== 1 stream\n");
        assertThat(run(0, "--compare " + sweep + " " + sweep))
                .contains("== 1 stream\n", "== 2 streams", "== 3 streams");
    }

    private Path writeNothing() {
        try {
            return Files.writeString(directory.resolve("nothing.json"), "{}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void findsNoRateWhereNoneKeepsTheLimits() throws Exception {
        var html = directory.resolve("none.html");
        var out = new StringWriter();
        String arguments = "--quiet --warmup 0s --requests 2 --rate 100 --find-max --slo ttft=100ms --url " + url(slow)
                + " --html " + html;
        int code =
                new CommandLine(new BenchCommand()).setOut(new PrintWriter(out)).execute(arguments.split(" "));

        // On a busy machine the client may not be fit to tell.
        String answer = code == 0 ? "no rate at which 99% of the streams" : "no rate is known at which 99%";
        assertThat(code).isIn(0, 3);
        assertThat(out.toString()).contains(answer);
        assertThat(Files.readString(html)).contains(answer, "--slo 100 ms");
    }
}
