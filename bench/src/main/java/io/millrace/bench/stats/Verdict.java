package io.millrace.bench.stats;

import java.util.List;

/**
 * Whether the client was fit to measure.
 *
 * @param grade in one word
 * @param reasons why it is not VALID; empty if it is
 */
public record Verdict(Grade grade, List<String> reasons) {
    /** How far figures can be trusted. */
    public enum Grade {
        /** The client had time to spare. */
        VALID,
        /** High percentiles may be due to the client. */
        SUSPECT,
        /** The figures are those of the client. */
        INVALID
    }

    /** Copies the reasons. */
    public Verdict {
        reasons = List.copyOf(reasons);
    }
}
