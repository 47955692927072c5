package io.millrace.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of other benchmarks beside ours. What is compared means the same, whatever its name is there. */
class ExportComparisonTest {
    private static final String OURS = """
            {"tool": "millrace bench", "base_url": "http://h/v1", "model_id": "m", "load": "closed loop, 8 streams",
             "date": "D", "request_throughput": 2.0, "output_throughput": 100.0, "completed": 40, "failed": 1,
             "mean_ttft_ms": 999, "median_ttft_ms": 999,
             "points": [{"label": "8 streams", "throughput": {"completed_per_s": 3.9},
              "metrics": {
               "ttft": {"unit": "ms", "p50": 500, "mean": 500},
               "ttft_sent": {"unit": "ms", "p50": 200, "p90": 220, "p99": null, "mean": 205},
               "itl": {"unit": "ms", "p50": 20, "mean": 21},
               "tpot": {"unit": "ms", "p50": 22, "mean": 23},
               "stream_rate": {"unit": "/s", "p50": 45},
               "e2e": {"unit": "ms", "p50": 1400, "mean": 1410}}}]}
            """;
    private static final String VLLM = """
            {"date": "20260101-120000", "endpoint_type": "openai-chat", "model_id": "v", "num_prompts": 40,
             "request_rate": "inf", "max_concurrency": 8, "duration": 20.0, "completed": 40, "failed": 0,
             "total_input_tokens": 400, "total_output_tokens": 2000, "request_throughput": 1.9,
             "output_throughput": 98.0, "mean_ttft_ms": 180.0, "median_ttft_ms": 150.0, "std_ttft_ms": 3.0,
             "p99_ttft_ms": 300.0, "mean_tpot_ms": 22.5, "median_tpot_ms": 21.5, "mean_itl_ms": 21.0,
             "median_itl_ms": 19.0, "p99_itl_ms": 60.0, "mean_e2el_ms": 1300, "median_e2el_ms": 1290}
            """;
    private static final String AIPERF = """
            {"schema_version": "1.5", "aiperf_version": "0.14", "start_time": "T", "was_cancelled": true,
             "input_config": {"loadgen": {"concurrency": 8}},
             "time_to_first_token": {"unit": "ms", "avg": 190.0, "p50": 160.0, "p90": 210.0, "p99": 290.0},
             "inter_token_latency": {"unit": "ms", "avg": 24.0, "p50": 23.0},
             "inter_chunk_latency": {"unit": "ms", "avg": 20.5, "p50": 18.0},
             "request_latency": {"unit": "sec", "avg": 1.3, "p50": 1.29},
             "output_token_throughput_per_user": {"unit": "tokens/sec/user", "avg": 41, "p50": 43},
             "request_throughput": {"unit": "requests/sec", "avg": 1.45},
             "output_token_throughput": {"unit": "tokens/sec", "avg": 97.0},
             "request_count": {"unit": "requests", "avg": 40.0}}
            """;

    @TempDir
    private Path directory;

    private String compare(String a, String b) throws IOException {
        return Comparison.of(
                Files.writeString(directory.resolve("a.json"), a), Files.writeString(directory.resolve("b.json"), b));
    }

    private static String row(String table, String name) {
        return table.lines()
                .filter(line -> line.startsWith(name + " "))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " in " + table))
                .replaceAll(" +", " ");
    }

    @Test
    void timesFromTheSendStandBesideTimesFromTheSend() throws IOException {
        String table = compare(OURS, VLLM);

        assertThat(table)
                .contains("A  a.json: millrace bench, http://h/v1, model m, closed loop, 8 streams, D")
                .contains("B  b.json: vLLM bench serve, model v, request rate inf, concurrency 8, 20260101-120000");
        assertThat(row(table, "ttft from the send p50 ms")).isEqualTo("ttft from the send p50 ms 200 150 -50.0 -25.0%");
        assertThat(row(table, "gap between outputs p50 ms")).contains("20.0 19.0");
        assertThat(row(table, "time per output token mean ms")).contains("23.0 22.5");
        assertThat(row(table, "end to end p50 ms")).contains("1,400 1,290");
        assertThat(row(table, "requests/s")).as("by vLLM's definition in both").contains("2.00 1.90");
        assertThat(row(table, "output tokens/s")).contains("100 98.0");
        assertThat(table).doesNotContain("first content", "p99 ms", "tokens/s of a stream", "999");
        assertThat(table)
                .contains("  A  e2e: from the scheduled start, so that a late send counts, to the end of the answer")
                .contains("  B  e2el: from the send to the last chunk")
                .contains("  B  ttft: to the first chunk with a choice, also if it has only a role");
    }

    @Test
    void namesOfAiperfAreNotTakenByTheirSound() throws IOException {
        String table = compare(VLLM, AIPERF);

        assertThat(row(table, "time per output token p50 ms"))
                .as("AIPerf's inter_token_latency")
                .contains("21.5 23.0");
        assertThat(row(table, "gap between outputs p50 ms"))
                .as("AIPerf's inter_chunk_latency")
                .contains("19.0 18.0");
        assertThat(row(table, "end to end p50 ms")).as("in seconds there").contains("1,290 1,290");
        assertThat(row(table, "completed")).contains("40.0 40.0");
        assertThat(table).contains("B: the user stopped the run").doesNotContain("failed ");
        assertThat(row(compare(OURS, AIPERF), "tokens/s of a stream p50")).contains("45.0 43.0");
    }

    @Test
    void refusesWhatCannotBeCompared() {
        String open = VLLM.replace("\"inf\"", "5.0");
        assertThatThrownBy(() -> compare(OURS, open)).hasMessageContaining("a closed loop and an open loop");
        assertThatThrownBy(() -> compare(OURS, "{\"some\": 1}")).hasMessageContaining("b.json: (expected: a file that");
        assertThatThrownBy(() -> compare(OURS, "oops")).hasMessageContaining("is no JSON");
        String sweep = OURS.replace("\"points\": [", "\"points\": [{\"throughput\": {}},");
        assertThatThrownBy(() -> compare(sweep, VLLM)).hasMessageContaining("a.json: several loads");
    }

    @Test
    void saysIfAFileDoesNotTellItsLoop() throws IOException {
        assertThat(compare(OURS, AIPERF.replace("concurrency", "unknown")))
                .contains("NOTE: a file does not say whether it is of an open or a closed loop");
    }
}
