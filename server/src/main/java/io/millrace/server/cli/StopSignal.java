package io.millrace.server.cli;

import java.util.concurrent.CountDownLatch;

/** SIGTERM and SIGINT as something to wait for. A second one ends the process at once. */
final class StopSignal {
    /** As a shell reports a process that SIGINT ended. */
    private static final int INTERRUPTED = 130;

    private final CountDownLatch stopped = new CountDownLatch(1);

    private StopSignal() {}

    /** Takes the signals over from the JVM. */
    static StopSignal install() {
        var stop = new StopSignal();
        Signals.on("TERM", stop::onSignal);
        Signals.on("INT", stop::onSignal);
        return stop;
    }

    /** Returns after the first signal. */
    void await() throws InterruptedException {
        stopped.await();
    }

    private void onSignal() {
        if (stopped.getCount() == 0) {
            Runtime.getRuntime().halt(INTERRUPTED);
        }
        stopped.countDown();
    }
}
