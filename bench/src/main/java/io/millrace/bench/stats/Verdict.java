package io.millrace.bench.stats;

import java.util.List;

/**
 * Whether the client itself was fit to measure what it measured.
 *
 * @param grade in one word
 * @param reasons why it is not VALID; empty if it is
 */
public record Verdict(Grade grade, List<String> reasons) {
    /** How far figures can be trusted. */
    public enum Grade {
        /** The client had time to spare. */
        VALID,
        /** Percentiles near the top may be the client's. */
        SUSPECT,
        /** The client was what was measured. */
        INVALID
    }

    /** Copies the reasons. */
    public Verdict {
        reasons = List.copyOf(reasons);
    }
}
