package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ContainerNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Damaged requests: each is translated or refused, and nothing else is thrown. */
class RequestFuzzTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROUNDS = 400;
    private static final Map<Dialect, List<String>> KINDS = Map.of(
            Dialect.CHAT, List.of("basic", "tools", "json", "compatible"),
            Dialect.MESSAGES, List.of("basic", "tools", "json", "agent"),
            Dialect.RESPONSES, List.of("basic", "tools", "json", "codex"),
            Dialect.GEMINI, List.of("basic", "tools", "json", "history"));
    private static final String[] VALUES = {
        "null",
        "0",
        "-1",
        "1.5",
        "1e400",
        "true",
        "\"\"",
        "\"x\"",
        "\"\\ud83d\"",
        "[]",
        "{}",
        "[null]",
        "[\"x\"]",
        "[{}]",
        "{\"type\":\"text\"}",
        "{\"text\":1}"
    };

    @ParameterizedTest
    @MethodSource("clients")
    void translatesOrRefuses(Dialect client) throws IOException {
        Random random = new Random(client.name().hashCode());
        int translated = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] body = mutated(
                    random,
                    client,
                    KINDS.get(client).get(round % KINDS.get(client).size()));
            for (Dialect upstream : Recorded.dialects()) {
                translated += isTranslated(client, upstream, body) ? 1 : 0;
            }
        }
        assertThat(translated).isPositive();
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void keepsHalfOfASurrogatePair(Dialect upstream) throws IOException {
        byte[] body = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"cut \\ud83d\"}]}"
                .getBytes(StandardCharsets.UTF_8);

        byte[] sent = Translation.of(Dialect.CHAT, upstream)
                .request(body, Requests.path(Dialect.CHAT), null)
                .body();

        assertThat(JSON.readTree(sent)
                                .findValuesAsText(upstream == Dialect.CHAT ? "content" : "text")
                                .toString()
                        + JSON.readTree(sent).findValuesAsText("content"))
                .contains("cut \ud83d");
    }

    static Stream<Dialect> clients() {
        return Recorded.dialects().stream();
    }

    private static boolean isTranslated(Dialect client, Dialect upstream, byte[] body) throws IOException {
        Translation translation = Translation.of(client, upstream);
        try {
            TranslatedRequest request = translation.request(body, Requests.path(client), null);
            assertThat(JSON.readTree(request.body()).isObject()).isTrue();
            return true;
        } catch (TranslationException e) {
            assertThat(JSON.readTree(translation.refusal(e, null)).isObject()).isTrue();
            return false;
        }
    }

    /** Removes or changes one or two values of a golden request. */
    private static byte[] mutated(Random random, Dialect client, String kind) throws IOException {
        String file = "/golden/requests/" + client.name().toLowerCase(Locale.ROOT) + "-" + kind + ".json";
        ObjectNode request = (ObjectNode) JSON.readTree(Recorded.resource(file));
        for (int i = random.nextInt(2); i >= 0; i--) {
            List<ContainerNode<?>> places = new ArrayList<>();
            collect(request, places);
            mutate(random, places.get(random.nextInt(places.size())));
        }
        return JSON.writeValueAsBytes(request);
    }

    private static void collect(JsonNode node, List<ContainerNode<?>> places) {
        if (node instanceof ContainerNode<?> place && !place.isEmpty()) {
            places.add(place);
            place.forEach(child -> collect(child, places));
        }
    }

    private static void mutate(Random random, ContainerNode<?> place) throws IOException {
        JsonNode value = JSON.readTree(VALUES[random.nextInt(VALUES.length)]);
        int at = random.nextInt(place.size());
        boolean removed = random.nextInt(4) == 0;
        if (place instanceof ArrayNode array) {
            if (removed) {
                array.remove(at);
            } else {
                array.set(at, value);
            }
        } else if (place instanceof ObjectNode object) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            if (removed) {
                object.remove(names.get(at));
            } else {
                object.set(names.get(at), value);
            }
        }
    }
}
