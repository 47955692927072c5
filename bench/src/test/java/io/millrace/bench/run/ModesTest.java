package io.millrace.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

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
    void tellsWhatATargetAdds() throws Exception {
        var json = directory.resolve("added.json");
        String out = run(
                0,
                "--quiet --warmup 0s --requests 12 --pairs 3 --concurrency 2 --url " + url(slow) + " --baseline "
                        + url(quick) + " --json " + json);

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
        assertThat(out).containsPattern("request_throughput .* -");
        assertThat(run(2, "--compare " + a + " " + writeNothing())).contains("expected: a file that millrace bench");
    }

    private Path writeNothing() {
        try {
            return Files.writeString(directory.resolve("nothing.json"), "{}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void findsNoRateWhereNoneKeepsTheLimits() {
        String out =
                run(0, "--quiet --warmup 0s --requests 2 --rate 100 --find-max --slo ttft=100ms --url " + url(slow));

        assertThat(out).contains("no rate at which 99% of the streams keep ttft=100ms");
    }
}
