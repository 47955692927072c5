package io.millrace.server.timing;

/** Something with deadlines that a {@link Sweeper} looks at. */
public interface Sweepable {
    /** Looks at the deadlines. May remove this or others from the sweeper. */
    void onSweep(long nowNs);
}
