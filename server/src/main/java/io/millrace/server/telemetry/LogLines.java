package io.millrace.server.telemetry;

import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The lines of one event loop for a logger. They are collected until the loop's next sweep and passed on as one message,
 * with line feeds between them. A message for each line would wake the writing thread, and make a system call, for each
 * exchange. Confined to its event loop.
 */
final class LogLines implements Sweepable {
    private static final int HAND_OVER_AT = 32 * 1024;

    private final Logger logger;
    private final Sweeper sweeper;
    private final StringBuilder out = new StringBuilder();
    private Sweeper.@Nullable Registration sweep;
    private boolean closed;
    private long second = -1;
    private String secondText = "";

    LogLines(Logger logger, Sweeper sweeper) {
        this.logger = logger;
        this.sweeper = sweeper;
    }

    /** The text so far. */
    StringBuilder out() {
        return out;
    }

    /** Begins a line. Returns false if nobody would get it. */
    boolean begin() {
        if (!logger.isInfoEnabled()) {
            return false;
        }
        if (!out.isEmpty()) {
            out.append('\n');
        }
        return true;
    }

    /** The line is complete. */
    void end() {
        if (closed || out.length() >= HAND_OVER_AT) {
            handOver();
        } else if (sweep == null) {
            sweep = sweeper.add(this);
        }
    }

    /** Passes the collected lines on. */
    void handOver() {
        if (sweep != null) {
            sweep.cancel();
            sweep = null;
        }
        if (!out.isEmpty()) {
            String text = out.toString();
            out.setLength(0);
            logger.info(text);
        }
    }

    /** Passes the collected lines on. From now on each line is passed on at once, because no sweep comes any more. */
    void close() {
        closed = true;
        handOver();
    }

    @Override
    public void onSweep(long nowNs) {
        handOver();
    }

    /** The time of day in ISO 8601 with milliseconds, such as {@code 2026-03-01T09:30:00.250Z}. */
    String now() {
        long nowMs = System.currentTimeMillis();
        long nowSecond = nowMs / 1000;
        if (nowSecond != second) {
            second = nowSecond;
            String text = Instant.ofEpochSecond(nowSecond).toString();
            secondText = text.substring(0, text.length() - 1);
        }
        long ms = nowMs % 1000;
        return secondText + '.' + (char) ('0' + ms / 100) + (char) ('0' + ms / 10 % 10) + (char) ('0' + ms % 10) + 'Z';
    }
}
