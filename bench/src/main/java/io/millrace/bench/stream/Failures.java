package io.millrace.bench.stream;

/** Samples of streams that never got a connection. */
final class Failures {
    private Failures() {}

    static StreamSample unconnected(Due due, Outcome outcome, String detail, long nowNs) {
        return new StreamSample(
                due.index,
                due.measured,
                due.behaviour,
                outcome,
                detail,
                due.scheduledNs,
                due.begunNs,
                -1,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                nowNs,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                -1,
                -1,
                false);
    }
}
