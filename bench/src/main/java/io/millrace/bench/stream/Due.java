package io.millrace.bench.stream;

/** A stream that is to begin, or on its way to a connection. */
final class Due {
    final long index;
    final long scheduledNs;
    final boolean measured;
    final Behaviour behaviour;
    long begunNs;
    long connectBeganNs;
    long connectNs = -1;
    boolean retried;

    Due(long index, long scheduledNs, boolean measured, Behaviour behaviour) {
        this.index = index;
        this.scheduledNs = scheduledNs;
        this.measured = measured;
        this.behaviour = behaviour;
    }

    /** Whether its times count. */
    boolean counts() {
        return measured && behaviour.isPlain();
    }
}
