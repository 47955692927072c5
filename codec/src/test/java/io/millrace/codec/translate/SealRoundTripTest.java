package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A client of any dialect sends an answer back as it got it, with results of its calls. The provider gets its seals back, and
 * another provider gets none of them.
 */
class SealRoundTripTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Stream<Arguments> pairs() {
        return Stream.of(Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI)
                .flatMap(upstream -> Recorded.dialects().stream().map(client -> Arguments.of(client, upstream)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("pairs")
    void comesBackToItsProviderOnly(Dialect client, Dialect upstream) throws IOException {
        byte[] answer =
                Recorded.resource("/golden/answers/" + upstream.name().toLowerCase(Locale.ROOT) + "-tools.json");
        byte[] given = Recorded.streaming(client, upstream).answer(answer, null).body();
        byte[] next = JSON.writeValueAsBytes(following(client, JSON.readTree(given)));

        for (Dialect provider : Recorded.dialects()) {
            byte[] sent = Translation.of(client, provider)
                    .request(next, Requests.path(client), null)
                    .body();
            assertThat(new String(sent, StandardCharsets.UTF_8).contains("c2VjcmV0"))
                    .as(provider.name())
                    .isEqualTo(provider == upstream);
        }
    }

    @Test
    void theProviderSeesItsOwnCallsAgain() throws IOException {
        JsonNode own = JSON.readTree(Recorded.resource("/golden/answers/gemini-tools.json"));
        byte[] given = Recorded.streaming(Dialect.MESSAGES, Dialect.GEMINI)
                .answer(JSON.writeValueAsBytes(own), null)
                .body();
        byte[] next = JSON.writeValueAsBytes(following(Dialect.MESSAGES, JSON.readTree(given)));

        JsonNode sent = JSON.readTree(Translation.of(Dialect.MESSAGES, Dialect.GEMINI)
                .request(next, Requests.path(Dialect.MESSAGES), null)
                .body());

        JsonNode call = sent.at("/contents/1/parts/1");
        assertThat(call.get("thoughtSignature")).isEqualTo(own.at("/candidates/0/content/parts/2/thoughtSignature"));
        assertThat(call.at("/functionCall/args")).isEqualTo(own.at("/candidates/0/content/parts/2/functionCall/args"));
        assertThat(sent.at("/contents/2/parts/0/functionResponse/id")).isEqualTo(call.at("/functionCall/id"));
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void gatewaysOfChatSeeTheirFieldsAgain(Dialect client) throws IOException {
        JsonNode details = JSON.readTree("""
                [{"type": "reasoning.text", "text": "Hm. So", "index": 0, "signature": "c2lnbg=="},
                 {"type": "reasoning.encrypted", "data": "c2VjcmV0", "id": "call_1", "index": 1}]""");
        JsonNode extra = JSON.readTree("{\"google\": {\"thought_signature\": \"c2lnbmVk\"}}");
        List<String> deltas = List.of(
                "{\"reasoning\": \"Hm.\", \"reasoning_details\": [{\"type\": \"reasoning.text\", \"text\": \"Hm.\", \"index\": 0}]}",
                "{\"reasoning\": \" So\", \"reasoning_details\": [{\"type\": \"reasoning.text\", \"text\": \" So\", \"index\": 0,"
                        + " \"signature\": \"c2lnbg==\"}]}",
                "{\"reasoning_details\": [" + details.get(1) + "], \"tool_calls\": [{\"index\": 0, \"id\": \"call_1\","
                        + " \"function\": {\"name\": \"f\", \"arguments\": \"{}\"}, \"extra_content\": " + extra
                        + "}]}");
        AnswerWriter writer =
                ClientFormat.of(client).answer(ModelRequest.of("m").build());
        AnswerGrammar grammar = new AnswerGrammar(writer);
        DeltaReader reader = UpstreamFormat.of(Dialect.CHAT).reader();
        for (String delta : deltas) {
            byte[] frame = ("data: {\"choices\": [{\"delta\": " + delta + "}]}\n\n").getBytes(StandardCharsets.UTF_8);
            reader.frame(Unpooled.wrappedBuffer(frame), 0, frame.length, grammar);
        }
        byte[] done = "data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8);
        reader.frame(Unpooled.wrappedBuffer(done), 0, done.length, grammar);

        byte[] next = JSON.writeValueAsBytes(following(client, JSON.readTree(writer.body())));
        for (Dialect provider : Recorded.dialects()) {
            byte[] sent = Translation.of(client, provider)
                    .request(next, Requests.path(client), null)
                    .body();
            if (provider == Dialect.CHAT) {
                JsonNode message = JSON.readTree(sent).at("/messages/1");
                assertThat(message.get("reasoning_details")).isEqualTo(details);
                assertThat(message.get("reasoning").asText()).isEqualTo("Hm. So");
                assertThat(message.at("/tool_calls/0/extra_content")).isEqualTo(extra);
            } else {
                assertThat(new String(sent, StandardCharsets.UTF_8)).doesNotContain("c2VjcmV0", "c2lnbmVk");
            }
        }
    }

    /** Google's SDKs for Java and Python have thought signatures as bytes. */
    @Test
    void signaturesForGeminiClientsAreBase64() {
        Seal seal = new Seal(Dialect.MESSAGES, "redacted", "c2VjcmV0");

        String carried = GeminiShapes.carried(seal);

        assertThat(Base64.getEncoder().encodeToString(Base64.getDecoder().decode(carried)))
                .isEqualTo(carried);
        assertThat(GeminiShapes.foreignSeal(carried)).isEqualTo(seal);
        assertThat(GeminiShapes.foreignSeal("bXIxL")).isNull();
        assertThat(GeminiShapes.foreignSeal("bXIxL_-!")).isNull();
        assertThat(GeminiShapes.foreignSeal("CiQBEU0yD1hCYiUoRFye")).isNull();
    }

    /** The next request, as the dialect's SDKs send it. */
    private static ObjectNode following(Dialect client, JsonNode answer) {
        ObjectNode request = JSON.createObjectNode().put("model", "m");
        switch (client) {
            case CHAT -> {
                JsonNode message = answer.at("/choices/0/message");
                ArrayNode messages = request.putArray("messages");
                messages.addObject().put("role", "user").put("content", "Hi");
                messages.add(message);
                for (JsonNode call : message.get("tool_calls")) {
                    messages.addObject()
                            .put("role", "tool")
                            .put("tool_call_id", call.get("id").textValue())
                            .put("content", "18");
                }
            }
            case RESPONSES -> {
                ArrayNode input = request.putArray("input");
                input.addObject().put("role", "user").put("content", "Hi");
                for (JsonNode item : answer.get("output")) {
                    input.add(item);
                }
                for (JsonNode item : answer.get("output")) {
                    if (item.has("call_id")) {
                        input.addObject()
                                .put("type", "function_call_output")
                                .put("call_id", item.get("call_id").textValue())
                                .put("output", "18");
                    }
                }
            }
            case MESSAGES -> {
                request.put("max_tokens", 9);
                ArrayNode messages = request.putArray("messages");
                messages.addObject().put("role", "user").put("content", "Hi");
                messages.addObject().put("role", "assistant").set("content", answer.get("content"));
                ArrayNode results = messages.addObject().put("role", "user").putArray("content");
                for (JsonNode block : answer.get("content")) {
                    if (block.get("type").textValue().equals("tool_use")) {
                        results.addObject()
                                .put("type", "tool_result")
                                .put("tool_use_id", block.get("id").textValue())
                                .put("content", "18");
                    }
                }
            }
            case GEMINI -> {
                JsonNode content = answer.at("/candidates/0/content");
                request.remove("model");
                ArrayNode contents = request.putArray("contents");
                contents.addObject().putArray("parts").addObject().put("text", "Hi");
                contents.add(content);
                ArrayNode results = contents.addObject().put("role", "user").putArray("parts");
                for (JsonNode part : content.get("parts")) {
                    if (part.has("functionCall")) {
                        results.addObject()
                                .putObject("functionResponse")
                                .put("name", part.at("/functionCall/name").textValue())
                                .putObject("response")
                                .put("output", "18");
                    }
                }
            }
            case UNKNOWN -> throw new IllegalArgumentException();
        }
        return request;
    }
}
