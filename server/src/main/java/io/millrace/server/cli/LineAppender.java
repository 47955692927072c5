package io.millrace.server.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes each message, of one line or several, at once. It counts lines that cannot be written as lost. It reports once
 * that lines are lost, and again when writing works. Used by one thread.
 */
final class LineAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private static final Logger LOG = LoggerFactory.getLogger(LineAppender.class);

    private final String log;
    private final String target;
    private final OutputStream out;
    private final AtomicLong lost;
    private long lostInRow;

    /**
     * Writes to {@code out}, and closes it at its end.
     *
     * @param log its name, as messages have it
     * @param target names {@code out}
     */
    LineAppender(String log, String target, OutputStream out, AtomicLong lost) {
        this.log = log;
        this.target = target;
        this.out = out;
        this.lost = lost;
    }

    /** Standard output, which a close leaves open. */
    static OutputStream standardOutput() {
        return new FilterOutputStream(new FileOutputStream(FileDescriptor.out)) {
            @Override
            public void write(byte[] bytes, int from, int length) throws IOException {
                out.write(bytes, from, length);
            }

            @Override
            public void close() {
                // the descriptor belongs to the process
            }
        };
    }

    /** How many lines a message has: event loops pass several on as one. */
    static long linesOf(ILoggingEvent event) {
        return 1 + event.getFormattedMessage().chars().filter(c -> c == '\n').count();
    }

    @Override
    public void stop() {
        super.stop();
        try {
            out.close();
        } catch (IOException e) {
            LOG.warn("{} cannot be closed: {}", target, e.getMessage());
        }
    }

    @Override
    protected void append(ILoggingEvent event) {
        String line = event.getFormattedMessage() + System.lineSeparator();
        try {
            out.write(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            long lines = linesOf(event);
            lost.addAndGet(lines);
            if (lostInRow == 0) {
                LOG.error("the {} log cannot be written to {}: {}; its lines are lost", log, target, e.getMessage());
            }
            lostInRow += lines;
            return;
        }
        if (lostInRow > 0) {
            LOG.warn("the {} log is written to {} again; {} lines were lost", log, target, lostInRow);
            lostInRow = 0;
        }
    }
}
