package io.millrace.server.cli;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import io.millrace.server.config.RelayConfig.AccessLog;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Sends the lines of the logger {@code millrace.access} to their destination. Event loops only queue them. A full queue
 * drops lines.
 */
final class AccessLogAppender {
    private static final String LOGGER = "millrace.access";
    private static final int QUEUE = 1 << 16;
    private static final AtomicLong LOST = new AtomicLong();

    private AccessLogAppender() {}

    /**
     * Sends the lines from now on to standard output, to the file (which it opens again) or nowhere.
     *
     * @throws IllegalArgumentException if the file cannot be written; the lines go where they went
     */
    static void install(AccessLog log) {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
            return; // another logging library is on the class path; its own configuration decides
        }
        var logger = context.getLogger(LOGGER);
        var next = log.format() == AccessLog.Format.OFF ? null : queue(context, log);
        logger.setAdditive(false);
        logger.setLevel(next == null ? Level.OFF : Level.INFO);
        front(context, logger).replace(next);
    }

    /** How many lines were lost since the process began, because the queue was full or they could not be written. */
    static long lost() {
        return LOST.get();
    }

    /** Writes what is queued, and stops logging. */
    static void stop() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.stop();
        }
    }

    /** The only appender that the logger has. */
    private static Front front(LoggerContext context, Logger logger) {
        if (logger.getAppender(Front.NAME) instanceof Front front) {
            return front;
        }
        var front = new Front();
        front.setContext(context);
        front.setName(Front.NAME);
        front.start();
        logger.detachAndStopAllAppenders();
        logger.addAppender(front);
        return front;
    }

    private static AsyncAppender queue(LoggerContext context, AccessLog log) {
        var queue = new AsyncAppender();
        queue.setContext(context);
        queue.setName("access-queue");
        queue.setQueueSize(QUEUE);
        queue.setDiscardingThreshold(0);
        queue.setNeverBlock(true);
        queue.addAppender(lines(context, log));
        queue.start();
        return queue;
    }

    private static LineAppender lines(LoggerContext context, AccessLog log) {
        LineAppender lines;
        try {
            lines = log.file() == null ? LineAppender.toStandardOutput(LOST) : LineAppender.toFile(log.file(), LOST);
        } catch (IOException e) {
            throw new IllegalArgumentException("accessLog: " + log.file() + " cannot be written: " + e.getMessage(), e);
        }
        lines.setContext(context);
        lines.setName("access");
        lines.start();
        return lines;
    }

    /**
     * Passes lines to the current queue. A queue is stopped only when no thread is using it any more, so no line is
     * lost.
     */
    private static final class Front extends UnsynchronizedAppenderBase<ILoggingEvent> {
        static final String NAME = "access-front";

        private final ReadWriteLock lock = new ReentrantReadWriteLock();
        private @Nullable AsyncAppender queue;

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
                    LOST.incrementAndGet();
                } else if (queue != null) {
                    queue.doAppend(line);
                }
            } finally {
                lock.readLock().unlock();
            }
        }
    }
}
