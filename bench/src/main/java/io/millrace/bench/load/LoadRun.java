package io.millrace.bench.load;

import io.millrace.bench.stream.Load;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * A load in progress. It keeps the planned number of streams open until {@link #stop}. Frames and streams are counted
 * between {@link #beginWindow} and {@link #endWindow}. Lost streams are always counted. Methods may be called from any
 * thread except the event loop's.
 */
public final class LoadRun {
    private static final long CLOSE_LIMIT_SECONDS = 60;

    private final Recorder recorder;
    private final Load load;

    LoadRun(Recorder recorder, Load load) {
        this.recorder = recorder;
        this.load = load;
    }

    /** The current counts. */
    public LoadProgress progress() {
        return uninterrupted(() -> new LoadProgress(
                load.connections(),
                load.streaming(),
                load.of(0, recorder::frames),
                load.of(0, recorder::completed),
                load.of(0, recorder::lost)));
    }

    /** Begins the window in which frames and streams are counted. */
    public void beginWindow() {
        onLoop(recorder::beginWindow);
    }

    /** Ends the window. */
    public void endWindow() {
        onLoop(recorder::endWindow);
    }

    /** Closes every connection, waits until all are closed, and returns the result. May be called once. */
    public LoadReport stop() {
        load.abort();
        if (!uninterrupted(() -> load.await(CLOSE_LIMIT_SECONDS, TimeUnit.SECONDS))) {
            throw new IllegalStateException("load: connections do not close");
        }
        return uninterrupted(() -> load.of(0, () -> recorder.report(recorder.unfinished())));
    }

    private void onLoop(Runnable task) {
        uninterrupted(() -> load.of(0, () -> {
            task.run();
            return true;
        }));
    }

    private static <T> T uninterrupted(Callable<T> task) {
        try {
            return task.call();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("load: interrupted", e);
        } catch (Exception e) {
            throw new IllegalStateException("load: " + e, e);
        }
    }
}
