package io.millrace.bench.stats;

import java.util.List;

/**
 * Whether the client was fit to measure.
 *
 * @param grade in one word
 * @param reasons why it is not VALID; empty if it is
 */
public record Verdict(Grade grade, List<String> reasons) {
    /** How far the figures can be trusted. */
    public enum Grade {
        /** The client had time to spare. */
        VALID,
        /** The client may have caused the high percentiles. */
        SUSPECT,
        /** The client has influenced the figures as much as the target. */
        INVALID
    }

    /** Copies the reasons. */
    public Verdict {
        reasons = List.copyOf(reasons);
    }
}
