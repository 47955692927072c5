package io.millrace.bench.stats;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The state of the client during a run.
 *
 * @param seconds it took
 * @param busiestLoop the share of one processor that the busiest event loop used; NaN if that is not known
 * @param processCpu processors that the whole process used, on average; NaN if that is not known
 * @param systemCpu the share of all processors that was in use, by anyone; NaN if that is not known
 * @param gcSeconds spent in collections
 * @param gcLongestMs the longest pause
 * @param processors there are
 */
public record Vitals(
        double seconds,
        double busiestLoop,
        double processCpu,
        double systemCpu,
        double gcSeconds,
        double gcLongestMs,
        int processors) {
    /** Of several runs, one after another: times add up, shares are the largest. */
    static Vitals together(List<Vitals> parts) {
        return new Vitals(
                parts.stream().mapToDouble(Vitals::seconds).sum(),
                most(parts, Vitals::busiestLoop),
                most(parts, Vitals::processCpu),
                most(parts, Vitals::systemCpu),
                parts.stream().mapToDouble(Vitals::gcSeconds).sum(),
                most(parts, Vitals::gcLongestMs),
                parts.get(0).processors);
    }

    private static double most(List<Vitals> parts, ToDoubleFunction<Vitals> value) {
        return parts.stream().mapToDouble(value).max().orElse(Double.NaN);
    }
}
