package io.millrace.server.tls;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A thread that looks at files every few seconds, so that no event loop does. */
final class FileWatch implements AutoCloseable {
    /** How long a change may go unnoticed. */
    static final Duration PERIOD = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(FileWatch.class);

    private final Duration period;
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(task -> {
        var thread = new Thread(task, "millrace-files");
        thread.setDaemon(true);
        return thread;
    });

    FileWatch() {
        this(PERIOD);
    }

    FileWatch(Duration period) {
        this.period = period;
    }

    /** Runs {@code look} once in every period from now on. What it throws is logged. */
    void add(Runnable look) {
        long periodNs = period.toNanos();
        executor.scheduleWithFixedDelay(() -> look(look), periodNs, periodNs, TimeUnit.NANOSECONDS);
    }

    private static void look(Runnable look) {
        try {
            look.run();
        } catch (RuntimeException | Error e) {
            LOG.error("files cannot be looked at", e);
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
