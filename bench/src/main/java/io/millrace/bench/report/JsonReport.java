package io.millrace.bench.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bench.stats.Breakdown;
import io.millrace.bench.stats.Distribution;
import io.millrace.bench.stats.Metric;
import io.millrace.bench.stats.RunResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A result as JSON. The keys at the top are those of vLLM's benchmark, so that tools for its files can read this one.
 * Below them, {@code points} has all figures for each amount of load.
 */
public final class JsonReport {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private JsonReport() {}

    /** Writes a report of {@link #of}, to which the caller may have added fields. */
    public static void write(Path file, ObjectNode report) throws IOException {
        Files.write(file, JSON.writeValueAsBytes(report));
    }

    /** The whole report. */
    public static ObjectNode of(Subject subject) {
        var root = JSON.createObjectNode();
        var last = subject.last();
        root.put("tool", "millrace bench").put("version", subject.version());
        root.put("date", last.begunAt().toString());
        root.put("backend", subject.dialect()).put("base_url", subject.url()).put("model_id", subject.model());
        root.put("protocol", subject.protocol());
        root.put("load", subject.load());
        root.put("interrupted", subject.interrupted());
        root.put("command", subject.origin().command());
        root.put("prompt", subject.origin().prompt());
        var environment = root.putObject("environment");
        subject.origin().environment().forEach(environment::put);
        vllm(root, last);
        root.set("client", client(last));
        var points = root.putArray("points");
        subject.points().forEach(result -> points.add(point(result)));
        var definitions = root.putObject("definitions");
        Definitions.all().forEach(definitions::put);
        return root;
    }

    private static void vllm(ObjectNode root, RunResult result) {
        root.put("num_prompts", result.streams());
        if (result.shape().isOpen()) {
            number(root, "request_rate", result.shape().rate());
            if (Double.isInfinite(result.shape().burstiness())) {
                root.put("burstiness", "inf");
            } else {
                number(root, "burstiness", result.shape().burstiness());
            }
        } else {
            root.put("request_rate", "inf")
                    .put("max_concurrency", result.shape().concurrency());
        }
        number(root, "duration", result.seconds());
        root.put("completed", result.completed()).put("failed", result.failed());
        root.put("total_input_tokens", result.inputTokens()).put("total_output_tokens", result.outputTokens());
        // As vLLM defines them: over the time until the last stream has ended.
        number(root, "request_throughput", perSecond(result, result.completed()));
        if (result.slo() != null) {
            number(root, "request_goodput", perSecond(result, result.good()));
        }
        number(root, "output_throughput", perSecond(result, result.outputTokens()));
        number(root, "total_token_throughput", perSecond(result, result.inputTokens() + result.outputTokens()));
        vllm(root, "ttft", result.of(Metric.TTFT));
        vllm(root, "ttft_sent", result.of(Metric.TTFT_SENT));
        vllm(root, "tpot", result.of(Metric.TPOT));
        vllm(root, "itl", result.of(Metric.ITL));
        vllm(root, "e2el", result.of(Metric.E2E));
    }

    private static double perSecond(RunResult result, long count) {
        return result.seconds() == 0 ? 0 : count / result.seconds();
    }

    private static ObjectNode throughput(RunResult result) {
        var node = JSON.createObjectNode();
        var throughput = result.throughput();
        number(node, "window_s", throughput.seconds());
        node.put("steady", result.isSteady());
        number(node, "offered_per_s", throughput.offeredPerSecond());
        number(node, "completed_per_s", throughput.requestsPerSecond());
        number(node, "tokens_per_s", throughput.tokensPerSecond());
        number(node, "output_frames_per_s", throughput.framesPerSecond());
        if (result.slo() != null) {
            number(node, "good_per_s", throughput.goodPerSecond());
        }
        return node;
    }

    private static void vllm(ObjectNode root, String name, Distribution values) {
        number(root, "mean_" + name + "_ms", values.mean());
        number(root, "median_" + name + "_ms", values.told(50));
        number(root, "std_" + name + "_ms", values.deviation());
        number(root, "p90_" + name + "_ms", values.told(90));
        number(root, "p99_" + name + "_ms", values.told(99));
        number(root, "p99.9_" + name + "_ms", values.told(99.9));
    }

    private static ObjectNode client(RunResult result) {
        var node = JSON.createObjectNode();
        var vitals = result.vitals();
        node.put("verdict", result.verdict().grade().name());
        var reasons = node.putArray("reasons");
        result.verdict().reasons().forEach(reasons::add);
        number(node, "busiest_event_loop", vitals.busiestLoop());
        number(node, "process_cpu", vitals.processCpu());
        number(node, "machine_cpu", vitals.systemCpu());
        number(node, "gc_s", vitals.gcSeconds());
        number(node, "gc_longest_ms", vitals.gcLongestMs());
        return node.put("processors", vitals.processors());
    }

    private static ObjectNode point(RunResult result) {
        var node = JSON.createObjectNode();
        node.put("label", result.shape().label());
        if (result.shape().isOpen()) {
            number(node, "rate", result.shape().rate());
        }
        node.put("concurrency", result.shape().concurrency());
        number(node, "duration_s", result.seconds());
        node.put("streams", result.streams()).put("completed", result.completed());
        node.put("left", result.left()).put("failed", result.failed()).put("behaved", result.behaved());
        node.put("interrupted", result.isInterrupted()).put("interrupted_streams", result.interrupted());
        var errors = node.putObject("errors");
        result.errors().forEach(errors::put);
        node.set("throughput", throughput(result));
        node.put("token_source", result.tokenSource());
        if (result.slo() != null) {
            node.put("slo", result.slo().toString()).put("good", result.good());
        }
        node.put("frames", result.frames())
                .put("output_frames", result.outputs())
                .put("bytes", result.bytes());
        node.put("stalls", result.stalls()).put("stalled_streams", result.stalled());
        node.put("stamped_streams", result.stamped()).put("resent", result.stale());
        number(node, "coalescing_index", result.coalescing());
        node.set("client", client(result));
        sessions(node, result);
        var metrics = node.putObject("metrics");
        for (var metric : Metric.values()) {
            if (result.of(metric).count() > 0) {
                metrics.set(metric.key(), distribution(metric, result.of(metric)));
            }
        }
        return node;
    }

    private static void sessions(ObjectNode node, RunResult result) {
        if (result.byTurn().parts().isEmpty()) {
            return;
        }
        node.putObject("sessions")
                .put("ended", result.sessions())
                .put("whole", result.wholeSessions())
                .put("tool_turns", result.toolTurns());
        parts(node.putArray("ttft_by_turn"), "turn", result.byTurn());
        parts(node.putArray("ttft_by_prompt_tokens"), "prompt_tokens", result.byPrompt());
    }

    private static void parts(ArrayNode array, String name, Breakdown breakdown) {
        for (var part : breakdown.parts()) {
            var node = array.addObject().put(name, part.label()).put("from", part.from());
            number(node, "prompt_tokens_p50", part.promptTokens().percentile(50));
            node.set("ttft", distribution(Metric.TTFT, part.ttft()));
        }
    }

    private static ObjectNode distribution(Metric metric, Distribution values) {
        var node = JSON.createObjectNode();
        node.put("unit", metric.unit().label()).put("count", values.count());
        number(node, "mean", values.mean());
        number(node, "std", values.deviation());
        number(node, "min", values.min());
        for (double percent : new double[] {1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9}) {
            String name = percent == Math.rint(percent) ? Long.toString((long) percent) : Double.toString(percent);
            number(node, "p" + name, values.told(percent));
        }
        number(node, "max", values.max());
        var interval = node.putArray("p50_ci95");
        interval.add(values.medianLow()).add(values.medianHigh());
        return node;
    }

    /** Adds a number, or null for NaN and infinity, which JSON does not have. */
    private static void number(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) {
            node.put(name, value);
        } else {
            node.putNull(name);
        }
    }
}
