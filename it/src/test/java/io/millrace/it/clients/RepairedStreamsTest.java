package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.cases.CaseRelay;
import io.millrace.server.cases.TranslationCase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What real servers were seen to send, once the relay has mended or translated it, is taken by the real SDK of the client's
 * dialect: text, reasoning, tool calls, stop, usage and errors are those that the case expects.
 */
class RepairedStreamsTest {
    /** Kinds of cases that are about answers. */
    private static final String KINDS = "CEPKG";

    private static final Map<String, String> DRIVERS =
            Map.of("chat", "openai.mjs", "responses", "openai.mjs", "messages", "anthropic.mjs", "gemini", "genai.mjs");

    private static final List<TranslationCase> CASES =
            TranslationCase.allOf(Path.of(System.getProperty("basedir", "."), "..", "server")).stream()
                    .filter(RepairedStreamsTest::isOfAnSdk)
                    .toList();

    private static final Map<String, HandedOn> SEEN = new LinkedHashMap<>();

    /**
     * @param api the driver's function
     * @param model for the SDK whose requests name it outside the body
     */
    private record Ask(String name, String api, String baseUrl, String model, JsonNode body) {}

    /**
     * @param answers the whole answer as the SDK put it together, or its chunks
     * @param error null when the SDK's user would take it for a success
     */
    private record HandedOn(String name, List<JsonNode> answers, Seen.Failure error) {
        private String message() {
            return error == null ? null : error.message();
        }

        /** Whether the error, if there is one, is an answer's: not one that the SDK stumbled over. */
        private boolean isTold() {
            if (error == null) {
                return true;
            }
            List<String> classes = error.classes();
            boolean isBroken = classes.contains("APIConnectionError");
            return !isBroken && (classes.contains("APIError") || classes.contains("ApiError"));
        }
    }

    /** Each SDK is one process for all of its cases. */
    @BeforeAll
    static void askAll() throws Exception {
        for (String driver : List.of("openai.mjs", "anthropic.mjs", "genai.mjs")) {
            var relays = new ArrayList<CaseRelay>();
            try {
                var asks = new ArrayList<Ask>();
                for (TranslationCase one : CASES) {
                    if (DRIVERS.get(one.clientDialect()).equals(driver)) {
                        CaseRelay relay = CaseRelay.start(one);
                        relays.add(relay);
                        asks.add(ask(one, relay.port()));
                    }
                }
                new NodeSdk(driver).run(asks, HandedOn.class).forEach(seen -> SEEN.put(seen.name(), seen));
            } finally {
                for (CaseRelay relay : relays) {
                    relay.close();
                }
            }
        }
    }

    static List<TranslationCase> cases() {
        return CASES;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void sdkTakesIt(TranslationCase one) {
        HandedOn seen = SEEN.get(one.id());
        assertThat(seen).isNotNull();
        assertThat(one.faultsOf(seen.answers(), seen.message())).isEmpty();
        assertThat(seen.isTold()).as(seen.message()).isTrue();
    }

    private static boolean isOfAnSdk(TranslationCase one) {
        return KINDS.indexOf(one.id().charAt(0)) >= 0
                && one.steps().size() == 1
                && DRIVERS.containsKey(one.clientDialect());
    }

    private static Ask ask(TranslationCase one, int port) {
        JsonNode client = one.steps().get(0).get("client");
        JsonNode body = client.get("body");
        String model = body.path("model").asText("some-model");
        return new Ask(one.id(), api(one, client) + ".body", "http://127.0.0.1:" + port, model, body);
    }

    private static String api(TranslationCase one, JsonNode client) {
        if (client.path("path").asText().equals("/v1/completions")) {
            return "completions";
        }
        boolean passes = one.upstream() == null && one.clientDialect().equals("chat");
        return passes ? "chat.pieces" : one.clientDialect();
    }
}
