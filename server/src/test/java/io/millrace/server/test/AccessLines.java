package io.millrace.server.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** Collects the lines of the access log, or of another log, from now on, until it is closed. */
public final class AccessLines implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Logger logger;
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            lines.addAll(event.getFormattedMessage().lines().toList());
        }
    };

    public AccessLines() {
        this("millrace.access");
    }

    /** Collects the lines of the log with this name. */
    public AccessLines(String name) {
        logger = (Logger) LoggerFactory.getLogger(name);
        logger.setAdditive(false);
        logger.setLevel(Level.INFO);
        appender.setContext(logger.getLoggerContext());
        appender.start();
        logger.addAppender(appender);
    }

    /** The lines that were not taken. */
    public List<String> all() {
        return List.copyOf(lines);
    }

    /** Whether there is no line that was not taken. */
    public boolean isEmpty() {
        return lines.isEmpty();
    }

    /** Takes the next line, when it is there, of a relay that logs in JSON. */
    public JsonNode next() throws IOException {
        await().until(() -> !lines.isEmpty());
        assertThat(lines).hasSize(1);
        return JSON.readTree(lines.remove(0));
    }

    /** Takes the first of so many lines, when all of them are there. */
    public JsonNode nextOf(int count) throws IOException {
        await().until(() -> lines.size() >= count);
        return JSON.readTree(lines.remove(0));
    }

    @Override
    public void close() {
        logger.detachAppender(appender);
    }
}
