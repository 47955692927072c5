package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images and other media that a model made reach every client. */
class MediaTest {
    private static final String DATA = "iVBORw0KGgo=";
    private static final String URL = "data:image/png;base64," + DATA;

    static Stream<Arguments> pairs() {
        return Stream.of(Dialect.CHAT, Dialect.RESPONSES, Dialect.GEMINI)
                .flatMap(upstream -> Recorded.dialects().stream().map(client -> Arguments.of(upstream, client)));
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("pairs")
    void imagesArriveInAStream(Dialect upstream, Dialect client) {
        List<JsonNode> events = events(translated(client, upstream, stream(upstream)));

        assertThat(events.stream().flatMap(event -> images(client, event).stream()))
                .containsExactly(client == Dialect.RESPONSES || client == Dialect.GEMINI ? DATA : URL);
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("pairs")
    void imagesArriveInAWholeAnswer(Dialect upstream, Dialect client) {
        byte[] body = answer(upstream).getBytes(StandardCharsets.UTF_8);

        TranslatedAnswer answer = Recorded.streaming(client, upstream).answer(body, null);

        JsonNode json = Json.parseObject(answer.body(), 0, answer.body().length);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(images(client, json))
                .containsExactly(client == Dialect.RESPONSES || client == Dialect.GEMINI ? DATA : URL);
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void soundArrivesAsALinkInTheText(Dialect client) {
        String frames =
                "data: {\"candidates\": [{\"content\": {\"parts\": [{\"inlineData\": {\"mimeType\": \"audio/wav\","
                        + " \"data\": \"UklGRg==\"}}]}, \"finishReason\": \"STOP\"}]}\n\n";

        assertThat(translated(client, Dialect.GEMINI, frames))
                .contains(
                        client == Dialect.GEMINI
                                ? "\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"UklGRg==\"}"
                                : "[audio/wav](data:audio/wav;base64,UklGRg==)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"images\": [{\"image_url\": \"https://h/i.png\"}]",
                "\"images\": [\"https://h/i.png\"]",
                "\"image\": {\"url\": \"https://h/i.png\"}",
                "\"content\": [{\"type\": \"image_url\", \"image_url\": {\"url\": \"https://h/i.png\"}}]",
            })
    void linksArriveToo(String delta) {
        for (Dialect client : Recorded.dialects()) {
            String frames = "data: {\"choices\": [{\"delta\": {" + delta + "}, \"finish_reason\": \"stop\"}]}\n\n"
                    + "data: [DONE]\n\n";

            assertThat(translated(client, Dialect.CHAT, frames)).contains("https://h/i.png");
        }
    }

    /** The images that a client sees, in its dialect's place for them, or in Markdown. */
    private static List<String> images(Dialect client, JsonNode json) {
        List<String> images = new ArrayList<>();
        switch (client) {
            case CHAT -> {
                JsonNode choice = json.path("choices").path(0);
                choice.path(choice.has("delta") ? "delta" : "message")
                        .path("images")
                        .forEach(image -> images.add(image.at("/image_url/url").textValue()));
            }
            case RESPONSES -> {
                JsonNode item = json.path("item");
                boolean done = json.path("type").asText().equals("response.output_item.done");
                if (done && item.path("type").asText().equals("image_generation_call")) {
                    images.add(item.path("result").textValue());
                }
                for (JsonNode output : json.path("output")) {
                    images.add(output.path("result").textValue());
                }
            }
            case GEMINI -> {
                for (JsonNode part : json.at("/candidates/0/content/parts")) {
                    if (part.has("inlineData")) {
                        images.add(part.at("/inlineData/data").textValue());
                    }
                }
            }
            default -> {
                String text = json.has("content")
                        ? json.at("/content/0/text").asText()
                        : json.at("/delta/text").asText("");
                if (text.startsWith("![image](")) {
                    images.add(text.substring("![image](".length(), text.length() - 1));
                }
            }
        }
        return images;
    }

    private static String stream(Dialect upstream) {
        return switch (upstream) {
            case CHAT ->
                "data: {\"choices\": [{\"delta\": {\"images\": [{\"type\": \"image_url\", \"image_url\": {\"url\": \""
                        + URL + "\"}}]}, \"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n";
            case RESPONSES ->
                "data: {\"type\": \"response.output_item.done\", \"output_index\": 0, \"item\": {\"type\":"
                        + " \"image_generation_call\", \"id\": \"ig_1\", \"output_format\": \"png\", \"result\": \""
                        + DATA
                        + "\"}}\n\ndata: {\"type\": \"response.completed\"}\n\n";
            default -> "data: " + answer(upstream) + "\n\n";
        };
    }

    private static String answer(Dialect upstream) {
        return switch (upstream) {
            case CHAT ->
                "{\"choices\": [{\"message\": {\"content\": \"\", \"images\": [{\"image_url\": {\"url\": \"" + URL
                        + "\"}}]}, \"finish_reason\": \"stop\"}]}";
            case RESPONSES ->
                "{\"status\": \"completed\", \"output\": [{\"type\": \"image_generation_call\", \"result\": \"" + DATA
                        + "\"}]}";
            default ->
                "{\"candidates\": [{\"content\": {\"parts\": [{\"inlineData\": {\"mimeType\": \"image/png\", \"data\": \""
                        + DATA + "\"}}]}, \"finishReason\": \"STOP\"}]}";
        };
    }

    private static String translated(Dialect client, Dialect upstream, String frames) {
        StreamTranslator translator = Recorded.streaming(client, upstream).stream();
        return Recorded.translate(translator, Recorded.frames(frames.getBytes(StandardCharsets.UTF_8)));
    }

    private static List<JsonNode> events(String stream) {
        List<JsonNode> events = new ArrayList<>();
        for (String line :
                stream.lines().filter(line -> line.startsWith("data: {")).toList()) {
            ObjectNode json = Json.parseObject(line.substring("data: ".length()));
            events.add(json);
        }
        return events;
    }
}
