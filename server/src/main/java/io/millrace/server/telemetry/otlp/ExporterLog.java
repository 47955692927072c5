package io.millrace.server.telemetry.otlp;

import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * What the exporters of OpenTelemetry log. They name the collector's status only there, and would write to standard error
 * each time.
 */
final class ExporterLog extends Handler {
    private static final Logger LOGGER = Logger.getLogger("io.opentelemetry");
    private static final ExporterLog HANDLER = new ExporterLog();
    private static final int MOST_SAID = 200;

    private volatile @Nullable String last;

    private ExporterLog() {}

    /** Takes what they log from now on. */
    static void attach() {
        LOGGER.setUseParentHandlers(false);
        LOGGER.removeHandler(HANDLER);
        LOGGER.addHandler(HANDLER);
    }

    /** Why the last export failed, in one line; null if nobody has said it. */
    static @Nullable String last(@Nullable Throwable failure) {
        String said = HANDLER.last;
        HANDLER.last = null;
        Throwable cause = failure == null ? null : failure.getCause();
        String why = cause != null ? cause.toString() : said;
        if (why == null) {
            return null;
        }
        String line = why.replaceAll("\\p{Cntrl}+", " ");
        return line.length() <= MOST_SAID ? line : line.substring(0, MOST_SAID);
    }

    @Override
    public void publish(LogRecord logged) {
        last = logged.getMessage();
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
