package io.millrace.bench.report;

import io.millrace.bench.stats.Metric;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** The definitions of figures, which every report prints. */
final class Definitions {
    /** The definitions of figures that are not distributions. */
    static final Map<String, String> OTHERS = others();

    private Definitions() {}

    /** The definitions of all figures, by name. */
    static Map<String, String> all() {
        var all = new LinkedHashMap<String, String>();
        for (var metric : Metric.values()) {
            String elsewhere = metric.elsewhere().isEmpty() ? "" : " [" + metric.elsewhere() + "]";
            all.put(metric.key(), metric.definition() + elsewhere);
        }
        all.putAll(OTHERS);
        return Collections.unmodifiableMap(all);
    }

    private static Map<String, String> others() {
        var others = new LinkedHashMap<String, String>();
        others.put(
                "throughput",
                "streams that completed, and tokens that arrived, in the measured part, whichever stream they belong"
                        + " to, over its length [vLLM's request_throughput and output_throughput also count the time"
                        + " until the last stream ends]");
        others.put("offered", "streams that began in the measured part, over its length");
        others.put("goodput", "streams that completed within all limits in the measured part, over its length");
        others.put(
                "ttft by turn, by prompt tokens",
                "of the streams of sessions: turn 1 is the first request of a session; the tokens of the whole prompt as"
                        + " the provider reports them, else its words");
        others.put("stalls", "gaps between two outputs of a stream over the threshold (--stall)");
        others.put("coalescing", "mean of frames_per_read: 1 if every token comes by itself");
        others.put(
                "[95% CI]",
                "of the median, by order statistics, which assumes independent values; gaps of one stream are not");
        others.put(
                "client",
                "VALID, SUSPECT or INVALID: whether this client's own lag, processor use and GC leave the figures"
                        + " trustworthy");
        return Collections.unmodifiableMap(others);
    }
}
