package io.millrace.server.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes each message as a line, at once. It counts a line that cannot be written as lost. It reports once that lines
 * are lost, and again when writing works. Used by one thread.
 */
final class LineAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private static final Logger LOG = LoggerFactory.getLogger(LineAppender.class);

    private final String target;
    private final OutputStream out;
    private final boolean closes;
    private final AtomicLong lost;
    private long lostInRow;

    private LineAppender(String target, OutputStream out, boolean closes, AtomicLong lost) {
        this.target = target;
        this.out = out;
        this.closes = closes;
        this.lost = lost;
    }

    /** Writes to standard output, which stays open. */
    @SuppressWarnings("resource") // the descriptor belongs to the process
    static LineAppender toStandardOutput(AtomicLong lost) {
        return new LineAppender("standard output", new FileOutputStream(FileDescriptor.out), false, lost);
    }

    /**
     * Writes to the end of a file. It creates the file and its directories if they do not exist.
     *
     * @throws IOException if it cannot be opened
     */
    static LineAppender toFile(Path file, AtomicLong lost) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
            Files.createDirectories(directory);
        }
        return new LineAppender(file.toString(), new FileOutputStream(file.toFile(), true), true, lost);
    }

    @Override
    public void stop() {
        super.stop();
        if (closes) {
            try {
                out.close();
            } catch (IOException e) {
                LOG.warn("{} cannot be closed: {}", target, e.getMessage());
            }
        }
    }

    @Override
    protected void append(ILoggingEvent event) {
        String line = event.getFormattedMessage() + System.lineSeparator();
        try {
            out.write(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            lost.incrementAndGet();
            if (lostInRow++ == 0) {
                LOG.error("the access log cannot be written to {}: {}; its lines are lost", target, e.getMessage());
            }
            return;
        }
        if (lostInRow > 0) {
            LOG.warn("the access log is written to {} again; {} lines were lost", target, lostInRow);
            lostInRow = 0;
        }
    }
}
