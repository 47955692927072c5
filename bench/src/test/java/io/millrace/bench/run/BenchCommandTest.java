package io.millrace.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

@Tag("sockets")
class BenchCommandTest {
    private static MockServer mock;

    @TempDir
    private Path directory;

    @BeforeAll
    static void start() {
        mock = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("tokens=5,stamp=1")));
    }

    @AfterAll
    static void stop() {
        mock.close();
    }

    /** The result of a command line. */
    private record Ran(int code, String out, String err) {}

    private static Ran run(String arguments, String... more) {
        var out = new StringWriter();
        var err = new StringWriter();
        var all = new ArrayList<>(
                List.of(("--quiet --warmup 0s --url http://127.0.0.1:" + mock.port() + "/v1 " + arguments)
                        .strip()
                        .split(" ")));
        all.addAll(List.of(more));
        int code = new CommandLine(new BenchCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(all.toArray(String[]::new));
        return new Ran(code, out.toString(), err.toString());
    }

    @Test
    void printsLittle() {
        var ran = run("--requests 10 --concurrency 2");

        assertThat(ran.out.lines()).hasSizeLessThan(24);
        assertThat(ran.out).doesNotContain("What the figures mean").contains("--explain");
    }

    @Test
    void explainsTheTable() {
        var ran = run("--requests 10 --concurrency 2 --explain");

        assertThat(ran.code).isZero();
        assertThat(ran.out)
                .contains("/v1/chat/completions, chat, model mock", "10 completed, 0 failed", "[95% CI]")
                .containsPattern("\\nttft ms +10 ")
                .containsPattern("\\ntransit ms +50 ")
                .contains("What the figures mean", "from the scheduled start of a stream", "vLLM ttft")
                .containsPattern("client +(VALID|SUSPECT|INVALID)");
    }

    @Test
    void writesTheKeysThatDashboardsRead() throws Exception {
        var file = directory.resolve("out.json");
        var ran = run("--requests 120 --rate 400 --arrivals constant --slo ttft=30s --json " + file);

        assertThat(ran.code).isZero();
        var json = new ObjectMapper().readTree(Files.readAllBytes(file));
        for (String key : new String[] {
            "median_ttft_ms",
            "mean_ttft_ms",
            "p99_ttft_ms",
            "std_ttft_ms",
            "median_tpot_ms",
            "median_itl_ms",
            "p99_itl_ms",
            "median_e2el_ms",
            "request_throughput",
            "output_throughput",
            "total_token_throughput",
            "duration",
            "request_rate",
            "request_goodput"
        }) {
            assertThat(json.path(key).isNumber()).as(key).isTrue();
        }
        assertThat(json.path("completed").intValue()).isEqualTo(120);
        assertThat(json.path("failed").intValue()).isZero();
        assertThat(json.path("total_output_tokens").intValue()).isEqualTo(600);
        assertThat(json.path("burstiness").textValue()).isEqualTo("inf");
        assertThat(json.at("/points/0/metrics/ttft/count").intValue()).isEqualTo(120);
        assertThat(json.at("/points/0/metrics/itl/p50_ci95").size()).isEqualTo(2);
        assertThat(json.at("/points/0/good").intValue()).isEqualTo(120);
        assertThat(json.at("/client/verdict").textValue()).isIn("VALID", "SUSPECT", "INVALID");
        assertThat(json.path("command").textValue())
                .startsWith("millrace bench ")
                .contains("--rate 400");
        assertThat(json.path("prompt").textValue()).contains("essay");
        assertThat(json.at("/environment/jdk").textValue()).isNotBlank();
        assertThat(json.path("interrupted").booleanValue()).isFalse();
        var throughput = json.at("/points/0/throughput");
        double begun = throughput.get("offered_per_s").doubleValue()
                * throughput.get("window_s").doubleValue();
        assertThat(begun).as("those that began in the window").isBetween(100.0, 120.5);
        assertThat(json.path("p99.9_ttft_ms").isNull())
                .as("one of 120 values lies above it")
                .isTrue();
        assertThat(json.at("/definitions/ttft").textValue()).contains("scheduled start");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--json", "--csv", "--hdr", "--html"})
    void refusesAFileThatCannotBeWrittenBeforeTheFirstRequest(String option) {
        int before = mock.requests().size();
        var ran = run("--requests 2 " + option + " " + directory.resolve("missing/x"));

        assertThat(ran.code).isEqualTo(2);
        assertThat(ran.err).contains(option + ": ", "its directory does not exist");
        assertThat(mock.requests()).hasSize(before);
    }

    @Test
    void sweeps() {
        var ran = run("--requests 4 --concurrency 1..4");

        assertThat(ran.code).isZero();
        assertThat(ran.out)
                .contains("\n1 stream ", "\n2 streams ", "\n4 streams ")
                .containsPattern("\\nload +offered/s");
        assertThat(run("--requests 4 --concurrency 1..4 --explain").out).contains("== 1 stream\n", "== 4 streams\n");
    }

    @Test
    void failsIfAConditionHolds() {
        assertThat(run("--requests 3", "--fail-if", "completed<1000").code).isEqualTo(1);
        assertThat(run("--requests 3", "--fail-if", "ttft.min>1ns").out).contains("FAILED at 1 stream: ttft.min>1ns");
        assertThat(run("--requests 3", "--fail-if", "ttft.p99>1ns"))
                .matches(ran -> ran.code == 3)
                .matches(ran -> ran.out.contains("NOT JUDGED at 1 stream: ttft.p99>1ns"));
        // On a busy machine the client itself may be judged unfit.
        assertThat(run("--requests 3", "--fail-if", "failed>0").code).isIn(0, 3);
    }

    @Test
    void failsIfNothingCompletes() {
        assertThat(run("--requests 2", "--header", "x-mock: status=503").code).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--rate 5 --concurrency 3 | --rate and --concurrency",
                "--concurrency 0 | --concurrency: 0 (expected: > 0)",
                "--concurrency 9..2 | FROM not larger",
                "--rate fast | --rate: fast (expected: a number)",
                "--arrivals sometimes --rate 3 | expected: constant, poisson or gamma:BURSTINESS",
                "--duration 10 | expected: a time such as",
                "--dialect smtp | expected: chat, responses, messages or gemini",
                "--fail-if ttf.p99>3ms | ttf is no metric",
                "--fail-if speed>3 | expected: METRIC.STATISTIC>VALUE",
                "--slo speed=3ms | expected: ttft=500ms",
                "--api-key-env NO_SUCH_VARIABLE_HERE | is not set",
                "--cancel 10% | expected: SHARE@WHEN",
                "--slow-readers 300% | expected: 0% to 100%",
                "--threads 0 | expected: 1-64",
            })
    void saysWhatIsWrongWithOptions(String arguments, String message) {
        var ran = run(arguments);

        assertThat(ran.code).isEqualTo(2);
        assertThat(ran.err).contains(message);
    }
}
