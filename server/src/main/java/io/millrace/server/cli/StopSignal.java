package io.millrace.server.cli;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/** Waits for SIGTERM or SIGINT, or for a take-over by another process. The second signal ends the process at once. */
final class StopSignal {
    /** The exit code with which a shell reports a process that SIGINT ended. */
    private static final int INTERRUPTED = 130;

    private final CountDownLatch stopped = new CountDownLatch(1);
    private final CompletableFuture<Void> signalled = new CompletableFuture<>();

    private StopSignal() {}

    /** Takes the signals over from the JVM. */
    static StopSignal install() {
        var stop = new StopSignal();
        Signals.on("TERM", stop::onSignal);
        Signals.on("INT", stop::onSignal);
        return stop;
    }

    /** Returns after the first signal, or when another process has taken over. */
    void await() throws InterruptedException {
        stopped.await();
    }

    /** Notes that another process serves in place of this one. */
    void onTakenOver() {
        stopped.countDown();
    }

    /** Runs {@code action} once at the first signal, on a thread of its own, or at once if the signal has come. */
    void onSignalled(Runnable action) {
        signalled.thenRunAsync(action);
    }

    /** Whether a signal has come. */
    boolean isSignalled() {
        return signalled.isDone();
    }

    private void onSignal() {
        if (isSignalled()) {
            Runtime.getRuntime().halt(INTERRUPTED);
        }
        signalled.complete(null);
        stopped.countDown();
    }
}
