package io.millrace.codec.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The texts of the recorded streams, in the tokens in which they came. */
class RecordedTextsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @ParameterizedTest
    @EnumSource
    void unitsOfRecordedStreamsAreTheirText(TextUnit unit) throws IOException {
        Random random = new Random(5);
        int characters = 0;
        for (String name : streams()) {
            List<String> tokens = tokens(name);
            String text = String.join("", tokens);
            List<String> units = Segmenting.pieces(unit, tokens);
            assertThat(String.join("", units)).as(name).isEqualTo(text);
            if (unit != TextUnit.TOKEN) {
                assertThat(units).as(name).isEqualTo(Segmenting.whole(unit, text));
                assertThat(units).as(name).isEqualTo(Segmenting.pieces(unit, Segmenting.cut(text, 5, random)));
            }
            characters += text.length();
        }
        assertThat(characters).isGreaterThan(10_000);
    }

    private static List<String> streams() throws IOException {
        List<String> names = new ArrayList<>();
        JSON.readTree(resource("expected.json")).fieldNames().forEachRemaining(names::add);
        assertThat(names).hasSizeGreaterThan(50);
        return names;
    }

    /** All texts in a stream's data, also reasoning and arguments. */
    private static List<String> tokens(String name) throws IOException {
        List<String> tokens = new ArrayList<>();
        new String(resource(name), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith("data:"))
                .forEach(line -> collect(parse(line.substring(5)), tokens));
        return tokens;
    }

    private static JsonNode parse(String data) {
        try {
            return JSON.readTree(data);
        } catch (JsonProcessingException e) {
            return JSON.getNodeFactory().textNode(data);
        }
    }

    private static void collect(JsonNode node, List<String> tokens) {
        for (String key : List.of("content", "text", "delta", "thinking", "partial_json", "arguments", "reasoning")) {
            node.findValues(key).stream()
                    .filter(JsonNode::isTextual)
                    .map(JsonNode::textValue)
                    .forEach(tokens::add);
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = RecordedTextsTest.class.getResourceAsStream("/fixtures/streams/" + name)) {
            return in.readAllBytes();
        }
    }
}
