package io.millrace.server.cases;

import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.server.RelayServer;
import io.millrace.server.config.AccessLog;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** One case: a relay and an upstream of its own, asked step by step. */
final class CaseRun implements AutoCloseable {
    private final TranslationCase data;
    private final CaseAnswers answers = new CaseAnswers();
    private final ScriptedUpstream upstream;
    private final RelayServer relay;
    private final Logger logger;
    private final List<String> logged = new CopyOnWriteArrayList<>();
    private final List<String> faults = new ArrayList<>();

    private ObjectNode client = Json.MAPPER.createObjectNode();
    private JsonNode sentBefore;

    private CaseRun(TranslationCase data) throws IOException {
        this.data = data;
        upstream = ScriptedUpstream.start(answers);
        logger = newLogger();
        URI uri = URI.create(upstream.uri() + data.base());
        Upstream to = Upstream.of("default", uri);
        if (data.upstream() != null) {
            to = to.withDialects(List.of(data.upstream()));
        }
        var config = RelayHarness.withRetry(RelayConfig.relayTo(to), RelayHarness.QUICK)
                .withEventLoops(1)
                .withAccessLog(AccessLog.DEFAULT.withFormat(AccessLog.Format.JSON));
        relay = RelayServer.start(config, logger);
    }

    /** Runs it and says what was wrong; nothing if nothing was. */
    static List<String> faultsOf(TranslationCase data) throws IOException {
        try (var run = new CaseRun(data)) {
            ClientAnswer before = null;
            for (int i = 0; i < data.steps().size(); i++) {
                before = run.step(i, before);
            }
            return run.faults;
        }
    }

    private ClientAnswer step(int index, ClientAnswer before) throws IOException {
        JsonNode step = data.steps().get(index);
        JsonNode expect = step.path("expect");
        client.setAll((ObjectNode) step.get("client"));
        if (step.has("carry")) {
            client.set("body", before.next(client.get("body"), step.at("/carry/result")));
        }
        answers.set(step.get("upstream"), framing(step));
        int asked = upstream.requests().size();
        ClientAnswer answer = ask();
        List<String> requests = upstream.requests();
        String request = requests.size() > asked ? requests.get(requests.size() - 1) : null;
        JsonNode sent = request == null ? null : Json.readOrNull(bodyOf(request));
        JsonNode log = expect.has("log") ? logLine(index) : Json.MAPPER.createObjectNode();
        var found = new ArrayList<>(new Expectation(expect, answer).faults(request, sent, log));
        found.addAll(Expectation.unlikeBefore(expect.path("extends"), sentBefore, sent));
        found.forEach(fault -> faults.add("step " + (index + 1) + ": " + fault));
        sentBefore = sent == null ? sentBefore : sent;
        return answer;
    }

    private ClientAnswer ask() throws IOException {
        String dialect = client.get("dialect").asText();
        var headers = new ArrayList<>(List.of("Content-Type: application/json"));
        headers.addAll(
                switch (dialect) {
                    case "messages" -> List.of("x-api-key: test-key", "anthropic-version: 2023-06-01");
                    case "gemini" -> List.of("x-goog-api-key: test-key");
                    default -> List.of("Authorization: Bearer test-key");
                });
        client.path("headers")
                .properties()
                .forEach(field ->
                        headers.add(field.getKey() + ": " + field.getValue().asText()));
        try (var raw = new RawClient(relay.addresses().get(0).getPort())) {
            raw.send("POST", path(dialect), Json.escaped(client.get("body")), headers.toArray(String[]::new));
            return ClientAnswer.of(dialect, raw.readAll());
        }
    }

    private String path(String dialect) {
        if (client.has("path")) {
            return client.get("path").asText();
        }
        return switch (dialect) {
            case "chat" -> "/v1/chat/completions";
            case "responses" -> "/v1/responses";
            case "messages" -> "/v1/messages";
            case "plain" -> "/chat";
            default -> throw new IllegalArgumentException(data.id() + ": no path");
        };
    }

    /** The dialect that frames are cut in: the answer's own, the upstream's or, passed through, the client's. */
    private String framing(JsonNode step) {
        String own = step.at("/upstream/dialect").textValue();
        if (own != null) {
            return own;
        }
        return data.upstream() == null
                ? client.get("dialect").asText()
                : data.upstream().name().toLowerCase(Locale.ROOT);
    }

    private JsonNode logLine(int index) throws IOException {
        await().until(() -> logged.size() > index);
        return Json.MAPPER.readTree(logged.get(index));
    }

    private static String bodyOf(String request) {
        return Json.ofBytes(request.substring(request.indexOf("\r\n\r\n") + 4));
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
