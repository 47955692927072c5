package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.server.test.RawClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Runs one case, with its own relay and upstream, step by step. */
final class CaseRun implements AutoCloseable {
    private final TranslationCase data;
    private final CaseRelay relay;
    private final List<String> faults = new ArrayList<>();

    private ObjectNode client = Json.MAPPER.createObjectNode();
    private JsonNode sentBefore;

    private CaseRun(TranslationCase data) throws IOException {
        this.data = data;
        relay = CaseRelay.start(data);
    }

    /** Runs it and returns the faults; empty if there are none. */
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
        relay.turnTo(index, client.get("dialect").asText());
        int asked = relay.requests().size();
        ClientAnswer answer = ask();
        List<String> requests = relay.requests();
        String request = requests.size() > asked ? requests.get(requests.size() - 1) : null;
        JsonNode sent = request == null ? null : Json.readOrNull(bodyOf(request));
        JsonNode log = expect.has("log") ? relay.logLine(index) : Json.MAPPER.createObjectNode();
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
        try (var raw = new RawClient(relay.port())) {
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

    private static String bodyOf(String request) {
        return Json.ofBytes(request.substring(request.indexOf("\r\n\r\n") + 4));
    }

    @Override
    public void close() throws IOException {
        relay.close();
    }
}
