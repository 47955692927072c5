package io.millrace.bench.compare;

import io.millrace.bench.compare.Measurement.Usage;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The time and the processor time of each process at one moment, in nanoseconds. */
record Clocks(long timeNs, long targetNs, long mockNs, long clientNs, long busyNs) {
    private static final int SETTLE_CHECKS = 20;
    private static final int SETTLE_MS = 200;
    private static final double IDLE_CORES = 0.15;

    static Clocks now(List<Long> target, List<Long> mock, List<Long> client) {
        return new Clocks(System.nanoTime(), Proc.cpuNs(target), Proc.cpuNs(mock), Proc.cpuNs(client), Proc.busyNs());
    }

    /** The usage from this moment to a later one. */
    Usage until(Clocks after) {
        double ns = after.timeNs - timeNs;
        long target = after.targetNs - targetNs;
        long mock = after.mockNs - mockNs;
        long client = after.clientNs - clientNs;
        long foreign = Math.max(0, after.busyNs - busyNs - target - mock - client);
        return new Usage(target / 1e9, mock / ns, client / ns, foreign / ns);
    }

    /** Waits, for a limited time, until the target has processed the end of its streams. */
    static void settle(Target target, Target mock) throws InterruptedException {
        for (int i = 0; i < SETTLE_CHECKS; i++) {
            long before = Proc.cpuNs(target.pids()) + Proc.cpuNs(mock.pids());
            TimeUnit.MILLISECONDS.sleep(SETTLE_MS);
            long used = Proc.cpuNs(target.pids()) + Proc.cpuNs(mock.pids()) - before;
            if (used < IDLE_CORES * TimeUnit.MILLISECONDS.toNanos(SETTLE_MS)) {
                return;
            }
        }
    }
}
