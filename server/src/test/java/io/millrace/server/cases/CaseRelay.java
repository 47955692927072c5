package io.millrace.server.cases;

import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** The relay and the upstream of a case. */
public final class CaseRelay implements AutoCloseable {
    private final TranslationCase data;
    private final CaseAnswers answers = new CaseAnswers();
    private final ScriptedUpstream upstream;
    private final RelayServer relay;
    private final Logger logger;
    private final List<String> logged = new CopyOnWriteArrayList<>();

    private CaseRelay(TranslationCase data) throws IOException {
        this.data = data;
        upstream = ScriptedUpstream.start(answers);
        logger = newLogger();
        URI uri = URI.create(upstream.uri() + data.base());
        Upstream to = Upstream.of("default", uri);
        if (data.upstream() != null) {
            to = to.with(u -> u.dialects = List.of(data.upstream()));
        }
        var config = RelayHarness.withRetry(RelayConfig.relayTo(to), RelayHarness.QUICK)
                .with(c -> c.eventLoops = 1)
                .with(c -> c.accessLog = AccessLog.DEFAULT.with(log -> log.format = AccessLog.Format.JSON));
        relay = RelayHarness.serve(config, logger);
    }

    /** Starts both; the upstream answers as the first step says. */
    public static CaseRelay start(TranslationCase data) throws IOException {
        var started = new CaseRelay(data);
        started.turnTo(0, data.clientDialect());
        return started;
    }

    /** Where the relay listens on the loopback address. */
    public int port() {
        return relay.addresses().get(0).getPort();
    }

    /** From now on the upstream answers as this step says, to a client of {@code clientDialect}. */
    void turnTo(int step, String clientDialect) {
        JsonNode said = data.steps().get(step).get("upstream");
        answers.set(said, framing(said.path("dialect").textValue(), clientDialect));
    }

    /** What the upstream was sent so far. */
    List<String> requests() {
        return upstream.requests();
    }

    /** Waits for this line of the access log, counted from 0. */
    JsonNode logLine(int index) throws IOException {
        await().until(() -> logged.size() > index);
        return Json.MAPPER.readTree(logged.get(index));
    }

    /** The dialect that frames are cut in: the answer's own, the upstream's or, passed through, the client's. */
    private String framing(String own, String clientDialect) {
        if (own != null) {
            return own;
        }
        return data.upstream() == null ? clientDialect : data.upstream().name().toLowerCase(Locale.ROOT);
    }

    private Logger newLogger() {
        var created = (Logger) LoggerFactory.getLogger("millrace.access." + data.id());
        var appender = new AppenderBase<ILoggingEvent>() {
            @Override
            protected void append(ILoggingEvent event) {
                logged.addAll(event.getFormattedMessage().lines().toList());
            }
        };
        appender.setContext((LoggerContext) LoggerFactory.getILoggerFactory());
        appender.start();
        created.setAdditive(false);
        created.setLevel(Level.INFO);
        created.addAppender(appender);
        return created;
    }

    @Override
    public void close() throws IOException {
        relay.close();
        upstream.close();
        logger.detachAndStopAllAppenders();
    }
}
