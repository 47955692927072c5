package io.millrace.bench.stats;

import io.millrace.bench.stream.Outcome;
import io.millrace.bench.stream.StreamSample;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The limits of a good stream, such as {@code ttft=500ms,itl=50ms}: {@code ttft}, {@code ttft_sent}, {@code tpot},
 * {@code e2e}, {@code itl} (the stream's mean gap), {@code gap} (its longest gap).
 */
public final class Slo {
    private static final String EXPECTED = "(expected: ttft=500ms,itl=50ms, of ttft, ttft_sent, tpot, e2e, itl, gap)";

    private final Map<String, Long> limits;

    private Slo(Map<String, Long> limits) {
        this.limits = limits;
    }

    /**
     * Parses limits.
     *
     * @throws IllegalArgumentException with the expected form
     */
    public static Slo parse(String text) {
        var limits = new LinkedHashMap<String, Long>();
        for (String pair : text.split(",", -1)) {
            int equals = pair.indexOf('=');
            String key = equals < 0 ? "" : pair.substring(0, equals).strip();
            switch (key) {
                case "ttft", "ttft_sent", "tpot", "e2e", "itl", "gap" -> {
                    limits.put(key, Quantity.nanos(pair.substring(equals + 1).strip()));
                }
                default -> throw new IllegalArgumentException("slo: " + pair + " " + EXPECTED);
            }
        }
        return new Slo(limits);
    }

    /** The limit of a metric in milliseconds; NaN if it has none. */
    public double limitMs(Metric metric) {
        Long limit = limits.get(metric.key());
        return limit == null ? Double.NaN : limit / Metric.Unit.MS.scale();
    }

    /** Whether the stream completed within all limits. */
    public boolean isMetBy(StreamSample sample) {
        return sample.outcome() == Outcome.COMPLETED
                && limits.entrySet().stream().allMatch(limit -> valueNs(limit.getKey(), sample) <= limit.getValue());
    }

    private static double valueNs(String key, StreamSample sample) {
        boolean output = sample.outputs() > 0;
        return switch (key) {
            case "ttft" -> output ? sample.firstOutputNs() - sample.scheduledNs() : Double.POSITIVE_INFINITY;
            case "ttft_sent" -> output ? sample.firstOutputNs() - sample.sentNs() : Double.POSITIVE_INFINITY;
            case "tpot" -> Double.isNaN(sample.tpotNs()) ? 0 : sample.tpotNs();
            case "itl" ->
                sample.outputs() < 2
                        ? 0
                        : (double) (sample.lastOutputNs() - sample.firstOutputNs()) / (sample.outputs() - 1);
            case "gap" -> sample.longestGapNs();
            default -> sample.endNs() - sample.scheduledNs();
        };
    }

    @Override
    public String toString() {
        return limits.entrySet().stream()
                .map(limit -> limit.getKey() + "=" + Quantity.text(limit.getValue()))
                .collect(Collectors.joining(","));
    }
}
