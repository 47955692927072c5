package io.millrace.server.tls;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A thread that checks files every few seconds, so that no event loop has to. */
final class FileWatch implements AutoCloseable {
    /** The longest time until a change is noticed. */
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

    /** Runs {@code look} once in every period from now on. Its exceptions are logged. */
    void add(Runnable look) {
        long periodNs = period.toNanos();
        executor.scheduleWithFixedDelay(() -> look(look), periodNs, periodNs, TimeUnit.NANOSECONDS);
    }

    private static void look(Runnable look) {
        try {
            look.run();
        } catch (RuntimeException | Error e) {
            LOG.error("files cannot be checked", e);
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
