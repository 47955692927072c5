package io.millrace.bench.stats;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The state of the client during a run.
 *
 * @param seconds the length of the run
 * @param busiestLoop the share of one processor that the busiest event loop used; NaN if it is not known
 * @param processCpu the mean number of processors that the whole process used; NaN if it is not known
 * @param systemCpu the share of all processors that all processes used; NaN if it is not known
 * @param gcSeconds the total time of collections
 * @param gcLongestMs the longest pause of a collection
 * @param processors the number of processors
 */
public record Vitals(
        double seconds,
        double busiestLoop,
        double processCpu,
        double systemCpu,
        double gcSeconds,
        double gcLongestMs,
        int processors) {
    /** Merges several runs, one after another. Times are added up. Of shares, the largest is taken. */
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
