package io.millrace.server.telemetry;

import io.millrace.server.config.LogField;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.timing.Sweeper;
import java.util.EnumSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one line of JSON to the logger {@code millrace.usage} for each answer that an upstream was asked for, however
 * many attempts that took. Confined to its event loop.
 */
public final class UsageLogger {
    private static final Logger LOGGER = LoggerFactory.getLogger("millrace.usage");
    private static final String POST = "POST";

    private final LogLines lines;
    private final LogLine line;
    private boolean on;

    /** Exports nothing yet. */
    public UsageLogger(Sweeper sweeper) {
        lines = new LogLines(LOGGER, sweeper);
        line = new LogLine.JsonLine(lines.out(), EnumSet.allOf(LogField.class));
    }

    /** Begins or ends the export of later answers. At the end it passes the collected lines on. */
    public void settings(UsageLog settings) {
        on = settings.on();
        if (!on) {
            lines.handOver();
        }
    }

    /** An exchange is over. */
    public void log(Summary summary) {
        if (on && isAnswer(summary) && lines.begin()) {
            line.begin();
            write(summary);
            line.end();
            lines.end();
        }
    }

    /** Passes the collected lines on. Later lines are not collected. */
    public void close() {
        lines.close();
    }

    /** Whether an upstream may have used tokens for it. Lists and documents use none. */
    private static boolean isAnswer(Summary summary) {
        return summary.attempts().begun() > 0 && POST.equals(summary.request().method());
    }

    private void write(Summary summary) {
        Summary.Request request = summary.request();
        line.text(LogField.TIME, lines.now());
        line.text(LogField.ID, request.id());
        line.text(LogField.CLIENT, request.caller());
        line.text(LogField.CLIENT_KEY, request.callerKey());
        line.text(LogField.ROUTE, summary.attempts().route());
        line.text(LogField.DIALECT, request.dialect());
        line.text(LogField.UPSTREAM, summary.attempts().last().upstream());
        line.text(LogField.MODEL, request.model());
        line.text(LogField.SERVED_MODEL, summary.servedModel());
        line.number(LogField.STATUS, summary.response().status());
        line.text(LogField.OUTCOME, summary.response().outcome().label());
        line.text(LogField.FINISH, summary.finishReason());
        line.text(LogField.USAGE, summary.usageExact() ? "exact" : "partial");
        line.tokens(summary.usage());
        if (summary.stream() != null) {
            line.number(LogField.OUTPUT_FRAMES, summary.stream().outputFrames());
        }
    }
}
