package io.millrace.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A file with the results of one load, of this or of another benchmark. It has the figures that benchmarks share, and says
 * what its tool means by them.
 */
final class Export {
    private final Tool tool;
    private final JsonNode root;

    /** The benchmarks whose files are read. */
    enum Tool {
        MILLRACE("millrace bench"),
        VLLM("vLLM bench serve"),
        AIPERF("AIPerf");

        private final String label;

        Tool(String label) {
            this.label = label;
        }
    }

    /**
     * A figure that benchmarks share, by its name in each, and what each means by it.
     *
     * @param title its name for people
     * @param isSingle whether it is one number, and no distribution
     * @param ours in the files of this benchmark
     * @param vllm in vLLM's; null if it does not have it
     * @param aiperf in AIPerf's
     */
    record Figure(
            String title,
            boolean isSingle,
            Name ours,
            @Nullable Name vllm,
            Name aiperf) {
        static final Figure TTFT_SENT = new Figure(
                "ttft from the send",
                false,
                new Name("ttft_sent", "to the first frame with output: text, reasoning, a call or a refusal"),
                new Name("ttft", "to the first chunk with a choice, also if it has only a role"),
                new Name("time_to_first_token", "to the first chunk that is not empty"));
        static final Figure FIRST_CONTENT = new Figure(
                "first content",
                false,
                new Name("first_content", "from the scheduled start to the first output that is not reasoning"),
                null,
                new Name("time_to_first_output_token", "from the send to the first output that is not reasoning"));
        static final Figure ITL = new Figure(
                "gap between outputs",
                false,
                new Name("itl", "between two output frames by the reads that brought them; 0 within a read"),
                new Name("itl", "between two chunks, as its client got to them"),
                new Name("inter_chunk_latency", "between two chunks, as its client got to them"));
        static final Figure TPOT = new Figure(
                "time per output token",
                false,
                new Name("tpot", "(last output - first output) / (tokens - 1), of each stream"),
                new Name("tpot", "(e2el - ttft) / (tokens - 1), of each stream; tokens as its tokenizer counts them"),
                new Name(
                        "inter_token_latency",
                        "(request_latency - time_to_first_token) / (tokens - 1), of each stream"));
        static final Figure E2E = new Figure(
                "end to end",
                false,
                new Name("e2e", "from the scheduled start, so that a late send counts, to the end of the answer"),
                new Name("e2el", "from the send to the last chunk"),
                new Name("request_latency", "from the send to the last chunk"));
        static final Figure STREAM_RATE = new Figure(
                "tokens/s of a stream",
                false,
                new Name("stream_rate", "1 / tpot"),
                null,
                new Name("output_token_throughput_per_user", "1 / inter_token_latency"));
        static final Figure REQUESTS = new Figure(
                "requests/s",
                true,
                new Name("request_throughput", "completed / time until the last stream ends; not completed_per_s"),
                new Name("request_throughput", "completed / time until the last stream ends"),
                new Name("request_throughput", "completed / time from the first send until the last stream ends"));
        static final Figure TOKENS = new Figure(
                "output tokens/s",
                true,
                new Name("output_throughput", "tokens / time until the last stream ends; not tokens_per_s"),
                new Name("output_throughput", "tokens / time until the last stream ends"),
                new Name("output_token_throughput", "tokens / time from the first send until the last stream ends"));
        static final Figure COMPLETED = new Figure(
                "completed",
                true,
                new Name("completed", "streams that came to their end"),
                new Name("completed", "requests with the status 200 whose body could be read"),
                new Name("request_count", "requests without an error"));
        static final Figure FAILED = new Figure(
                "failed",
                true,
                new Name("failed", "streams without a whole answer"),
                new Name("failed", "the other requests"),
                new Name("error_request_count", "requests with an error"));
        static final List<Figure> ALL =
                List.of(TTFT_SENT, FIRST_CONTENT, ITL, TPOT, E2E, STREAM_RATE, REQUESTS, TOKENS, COMPLETED, FAILED);
    }

    /**
     * A name of a tool.
     *
     * @param key in its files
     * @param meaning what it measures
     */
    record Name(String key, String meaning) {}

    private Export(Tool tool, JsonNode root) {
        this.tool = tool;
        this.root = root;
    }

    /**
     * The results in a file.
     *
     * @throws IllegalArgumentException if it is no file of a known benchmark, or of several loads
     */
    static Export of(String file, JsonNode root) {
        if (isOurs(root)) {
            if (root.path("points").size() > 1) {
                throw new IllegalArgumentException(
                        file + ": several loads (expected: one, beside another tool's file)");
            }
            return new Export(Tool.MILLRACE, root);
        }
        if (root.path("mean_ttft_ms").isNumber()
                && root.path("request_throughput").isNumber()) {
            return new Export(Tool.VLLM, root);
        }
        if (root.at("/request_latency/avg").isNumber()
                && root.at("/request_throughput/avg").isNumber()) {
            return new Export(Tool.AIPERF, root);
        }
        throw new IllegalArgumentException(file + ": (expected: a file that millrace bench --json, vllm bench serve"
                + " --save-result or aiperf wrote, profile_export_aiperf.json)");
    }

    /** Whether it is a report of this tool. */
    static boolean isOurs(JsonNode root) {
        return root.path("points").path(0).path("throughput").isObject();
    }

    /** The tool's name. */
    String tool() {
        return tool.label;
    }

    /** The target, the load and the date, as far as the file says them. */
    String head() {
        String concurrency = setting("max_concurrency", "concurrency");
        String rate = setting("request_rate", "request_rate");
        return switch (tool) {
            case MILLRACE ->
                String.format(
                        Locale.ROOT,
                        "%s, model %s, %s, %s",
                        text("base_url"),
                        text("model_id"),
                        text("load"),
                        text("date"));
            case VLLM, AIPERF ->
                (tool == Tool.VLLM ? "model " + text("model_id") + ", " : "")
                        + (rate.isEmpty() ? "" : "request rate " + rate + ", ")
                        + (concurrency.isEmpty() ? "" : "concurrency " + concurrency + ", ")
                        + text(tool == Tool.VLLM ? "date" : "start_time");
        };
    }

    /** {@code an open loop}, {@code a closed loop}, or empty if the file does not say. */
    String loop() {
        boolean open = switch (tool) {
            case MILLRACE -> root.at("/points/0").has("rate");
            case VLLM, AIPERF -> isNumber(setting("request_rate", "request_rate"));
        };
        boolean closed = tool == Tool.MILLRACE
                || !setting("max_concurrency", "concurrency").isEmpty();
        return open ? "an open loop" : closed ? "a closed loop" : "";
    }

    /** Whether the user stopped it, as far as the file says that. */
    boolean isInterrupted() {
        return root.path(tool == Tool.AIPERF ? "was_cancelled" : "interrupted").asBoolean();
    }

    /** Its name for a figure; null if it has none. */
    @Nullable
    Name name(Figure figure) {
        return switch (tool) {
            case MILLRACE -> figure.ours;
            case VLLM -> figure.vllm;
            case AIPERF -> figure.aiperf;
        };
    }

    /**
     * A statistic of a figure: in milliseconds, or a second for rates.
     *
     * @param statistic {@code p50}, {@code p90}, {@code p99} or {@code mean}; of a single number ignored
     * @return NaN if the file does not have it
     */
    double value(Figure figure, String statistic) {
        Name name = name(figure);
        if (name == null) {
            return Double.NaN;
        }
        JsonNode value = switch (tool) {
            case MILLRACE ->
                figure.isSingle()
                        ? root.path(name.key)
                        : root.at("/points/0/metrics").path(name.key).path(statistic);
            case VLLM -> root.path(figure.isSingle() ? name.key : vllm(statistic) + "_" + name.key + "_ms");
            case AIPERF -> root.path(name.key).path(figure.isSingle() || statistic.equals("mean") ? "avg" : statistic);
        };
        return value.isNumber() ? value.doubleValue() * scale(name.key) : Double.NaN;
    }

    private static String vllm(String statistic) {
        return statistic.equals("p50") ? "median" : statistic;
    }

    /** AIPerf says the unit of each figure. */
    private double scale(String key) {
        if (tool != Tool.AIPERF) {
            return 1;
        }
        return switch (root.path(key).path("unit").asText()) {
            case "s", "sec", "seconds" -> 1e3;
            case "us" -> 1e-3;
            case "ns" -> 1e-6;
            default -> 1;
        };
    }

    /** A setting of the load; AIPerf's are somewhere in its configuration. */
    private String setting(String vllm, String aiperf) {
        JsonNode value = tool == Tool.AIPERF ? root.path("input_config").findPath(aiperf) : root.path(vllm);
        return value.isNumber() || value.isTextual() ? value.asText() : "";
    }

    private static boolean isNumber(String text) {
        return text.matches("[0-9.]+");
    }

    private String text(String key) {
        return root.path(key).asText();
    }
}
