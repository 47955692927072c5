package io.millrace.server.cli;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Telemetry.UsageLog;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * A log of lines: it sends the lines of one logger to their destination. Event loops only queue them. A full queue drops
 * lines.
 */
final class LineLog {
    /** One line for each request. */
    static final LineLog ACCESS = new LineLog("access");
    /** One line for each answer. */
    static final LineLog USAGE = new LineLog("usage");

    private static final int QUEUE = 1 << 16;

    private final String name;
    private final AtomicLong lost = new AtomicLong();

    private LineLog(String name) {
        this.name = name;
    }

    /** Where lines go. */
    @FunctionalInterface
    private interface Opener {
        OutputStream open() throws IOException;
    }

    /**
     * Sends the lines of the access log from now on to standard output, to the file (which it opens again) or nowhere.
     *
     * @throws IllegalArgumentException if the file cannot be written; the lines go where they went
     */
    static void install(AccessLog log) {
        if (log.format() == AccessLog.Format.OFF) {
            ACCESS.install(null, "");
        } else if (log.file() == null) {
            ACCESS.install(LineAppender::standardOutput, "standard output");
        } else {
            Path file = log.file();
            ACCESS.install(() -> new RotatingFile(file, 0, Clock.systemUTC()), file.toString());
        }
    }

    /**
     * Sends the lines of the usage log from now on to the file, which it opens again, or nowhere.
     *
     * @throws IllegalArgumentException if the file cannot be written; the lines go where they went
     */
    static void install(UsageLog log) {
        Path file = log.file();
        if (file == null) {
            USAGE.install(null, "");
        } else {
            USAGE.install(() -> new RotatingFile(file, log.rotate(), Clock.systemUTC()), file.toString());
        }
    }

    /** How many lines were lost since the process began, because the queue was full or they could not be written. */
    long lost() {
        return lost.get();
    }

    /** Writes what is queued, and stops logging. */
    static void stop() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.stop();
        }
    }

    private void install(@Nullable Opener opener, String target) {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
            return; // another logging library is on the class path; its own configuration decides
        }
        var logger = context.getLogger("millrace." + name);
        var next = opener == null ? null : queue(context, opener, target);
        logger.setAdditive(false);
        logger.setLevel(next == null ? Level.OFF : Level.INFO);
        front(context, logger).replace(next);
    }

    /** The only appender that the logger has. */
    private Front front(LoggerContext context, Logger logger) {
        if (logger.getAppender(Front.NAME) instanceof Front front) {
            return front;
        }
        var front = new Front(lost);
        front.setContext(context);
        front.setName(Front.NAME);
        front.start();
        logger.detachAndStopAllAppenders();
        logger.addAppender(front);
        return front;
    }

    private AsyncAppender queue(LoggerContext context, Opener opener, String target) {
        var queue = new AsyncAppender();
        queue.setContext(context);
        queue.setName(name + "-queue");
        queue.setQueueSize(QUEUE);
        queue.setDiscardingThreshold(0);
        queue.setNeverBlock(true);
        queue.addAppender(lines(context, opener, target));
        queue.start();
        return queue;
    }

    private LineAppender lines(LoggerContext context, Opener opener, String target) {
        LineAppender lines;
        try {
            lines = new LineAppender(name, target, opener.open(), lost);
        } catch (IOException e) {
            throw new IllegalArgumentException(name + "Log: " + target + " cannot be written: " + e.getMessage(), e);
        }
        lines.setContext(context);
        lines.setName(name);
        lines.start();
        return lines;
    }

    /**
     * Passes lines to the current queue. A queue is stopped only when no thread is using it any more, so no line is
     * lost.
     */
    private static final class Front extends UnsynchronizedAppenderBase<ILoggingEvent> {
        static final String NAME = "front";

        private final AtomicLong lost;
        private final ReadWriteLock lock = new ReentrantReadWriteLock();
        private @Nullable AsyncAppender queue;

        Front(AtomicLong lost) {
            this.lost = lost;
        }

        void replace(@Nullable AsyncAppender next) {
            AsyncAppender old;
            lock.writeLock().lock();
            try {
                old = queue;
                queue = next;
            } finally {
                lock.writeLock().unlock();
            }
            if (old != null) {
                old.stop();
            }
        }

        @Override
        public void stop() {
            super.stop();
            replace(null);
        }

        @Override
        protected void append(ILoggingEvent line) {
            lock.readLock().lock();
            try {
                if (queue != null && queue.getRemainingCapacity() == 0) {
                    lost.addAndGet(LineAppender.linesOf(line));
                } else if (queue != null) {
                    queue.doAppend(line);
                }
            } finally {
                lock.readLock().unlock();
            }
        }
    }
}
