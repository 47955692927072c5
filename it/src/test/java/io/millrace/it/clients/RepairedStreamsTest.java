package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.cases.CaseRelay;
import io.millrace.server.cases.TranslationCase;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Streams that real servers were seen to send. The relay repairs or translates them, and the real SDK of the client's
 * dialect and the AI SDK of Vercel read them. Text, reasoning, tool calls, stop, usage and errors must be those that
 * the case expects.
 */
class RepairedStreamsTest {
    /** The kinds of cases about answers. */
    private static final String KINDS = "CEPKG";

    private static final Map<String, String> DRIVERS =
            Map.of("chat", "openai.mjs", "responses", "openai.mjs", "messages", "anthropic.mjs", "gemini", "genai.mjs");

    private static final List<TranslationCase> CASES =
            TranslationCase.allOf(Path.of(System.getProperty("basedir", "."), "..", "server")).stream()
                    .filter(RepairedStreamsTest::isOfAnSdk)
                    .toList();

    /**
     * Images in answers. The AI SDK of Vercel passes none on for Chat, and for Responses only those that a tool
     * returned.
     */
    private static final String IMAGES = "G01.";

    /** The SDKs' classes for errors that a server reported. */
    private static final Set<String> TOLD = Set.of("APIError", "ApiError", "APICallError", "StreamProviderError");

    private static final Map<String, HandedOn> SEEN = new HashMap<>();
    private static final Map<String, HandedOn> SEEN_BY_VERCEL = new HashMap<>();

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

        /** Whether an error, if there is one, was reported in the answer and is not a failure of the SDK. */
        private boolean isTold() {
            if (error == null) {
                return true;
            }
            List<String> classes = error.classes();
            return !classes.contains("APIConnectionError") && classes.stream().anyMatch(TOLD::contains);
        }
    }

    /** Each SDK runs all its cases in one process. */
    @BeforeAll
    static void askAll() throws Exception {
        for (String driver : List.of("openai.mjs", "anthropic.mjs", "genai.mjs")) {
            List<TranslationCase> own = CASES.stream()
                    .filter(one -> DRIVERS.get(one.clientDialect()).equals(driver))
                    .toList();
            ask(driver, own, RepairedStreamsTest::api, SEEN);
        }
        ask("vercel.mjs", casesOfVercel(), TranslationCase::clientDialect, SEEN_BY_VERCEL);
    }

    private static void ask(
            String driver,
            List<TranslationCase> cases,
            Function<TranslationCase, String> api,
            Map<String, HandedOn> into)
            throws IOException {
        var relays = new ArrayList<CaseRelay>();
        try {
            var asks = new ArrayList<Ask>();
            for (TranslationCase one : cases) {
                CaseRelay relay = CaseRelay.start(one);
                relays.add(relay);
                JsonNode body = clientOf(one).get("body");
                String model = body.path("model").asText("some-model");
                asks.add(new Ask(one.id(), api.apply(one) + ".body", "http://127.0.0.1:" + relay.port(), model, body));
            }
            new NodeSdk(driver).run(asks, HandedOn.class).forEach(seen -> into.put(seen.name(), seen));
        } finally {
            for (CaseRelay relay : relays) {
                relay.close();
            }
        }
    }

    static List<TranslationCase> cases() {
        return CASES;
    }

    /** Streams, without those that the SDK cannot read. */
    static List<TranslationCase> casesOfVercel() {
        return CASES.stream()
                .filter(one -> clientOf(one).at("/body/stream").asBoolean(true))
                .filter(one -> !isLegacy(one) && !one.id().startsWith(IMAGES))
                .toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void sdkTakesIt(TranslationCase one) {
        assertTakes(one, one.clientDialect(), SEEN.get(one.id()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("casesOfVercel")
    void vercelTakesIt(TranslationCase one) {
        assertTakes(one, "chat", SEEN_BY_VERCEL.get(one.id()));
    }

    private static void assertTakes(TranslationCase one, String form, HandedOn seen) {
        assertThat(seen).isNotNull();
        assertThat(one.faultsOf(form, seen.answers(), seen.message())).isEmpty();
        assertThat(seen.isTold()).as(seen.message()).isTrue();
    }

    private static JsonNode clientOf(TranslationCase one) {
        return one.steps().get(0).get("client");
    }

    private static boolean isLegacy(TranslationCase one) {
        return clientOf(one).path("path").asText().equals("/v1/completions");
    }

    private static boolean isOfAnSdk(TranslationCase one) {
        return KINDS.indexOf(one.id().charAt(0)) >= 0
                && one.steps().size() == 1
                && DRIVERS.containsKey(one.clientDialect());
    }

    private static String api(TranslationCase one) {
        if (isLegacy(one)) {
            return "completions";
        }
        boolean passes = one.upstream() == null && one.clientDialect().equals("chat");
        return passes ? "chat.pieces" : one.clientDialect();
    }
}
