package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A provider gets back the values that it sent with its tool calls, through clients that do not know these fields. */
class ToolRoundTripTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] THOUGHTFUL = Recorded.resource("/golden/answers/messages-tools.json");

    @Test
    void thinkingSurvivesAChatClientThatKeepsOnlyTheCalls() throws IOException {
        Translation first = Recorded.streaming(Dialect.CHAT, Dialect.MESSAGES);
        JsonNode message = JSON.readTree(first.answer(THOUGHTFUL, null).body()).at("/choices/0/message");

        JsonNode content = assistantContent(
                chatRequest(((ObjectNode) message.deepCopy()).retain("role", "content", "tool_calls")));

        assertThat(content).isEqualTo(JSON.readTree(THOUGHTFUL).get("content"));
    }

    @Test
    void thinkingSurvivesAChatClientThatCollectsAStream() throws IOException {
        Translation first = Recorded.streaming(Dialect.CHAT, Dialect.MESSAGES);
        byte[] stream = Recorded.resource("/golden/streams/messages-tools.sse");
        ClientView view = ClientView.of(Dialect.CHAT, Recorded.translate(first.stream(), Recorded.frames(stream)));
        ObjectNode message = JSON.createObjectNode().put("role", "assistant").put("content", view.text.toString());
        for (ClientView.Call call : view.calls) {
            message.withArray("tool_calls")
                    .addObject()
                    .put("id", call.id)
                    .put("type", "function")
                    .putObject("function")
                    .put("name", call.name)
                    .put("arguments", call.arguments.toString());
        }

        assertThat(assistantContent(chatRequest(message)))
                .isEqualTo(JSON.readTree(THOUGHTFUL).get("content"));
    }

    @Test
    void resultsFindTheirCallsBehindIdsThatCarryThinking() throws IOException {
        Translation first = Recorded.streaming(Dialect.CHAT, Dialect.MESSAGES);
        JsonNode message = JSON.readTree(first.answer(THOUGHTFUL, null).body()).at("/choices/0/message");

        JsonNode results =
                sent(chatRequest(message), Dialect.CHAT, Dialect.MESSAGES).at("/messages/2/content");

        assertThat(results.findValuesAsText("tool_use_id")).containsExactly("toolu_1", "toolu_2");
    }

    @Test
    void reasoningGoesBackOnlyToTheServerThatSentIt() throws IOException {
        Translation first = Recorded.streaming(Dialect.MESSAGES, Dialect.CHAT);
        byte[] answer = Recorded.resource("/golden/answers/chat-tools.json");
        ObjectNode request = JSON.createObjectNode().put("model", "m").put("max_tokens", 10);
        ArrayNode messages = request.putArray("messages");
        messages.addObject().put("role", "user").put("content", "Hi");
        messages.addObject()
                .put("role", "assistant")
                .set("content", JSON.readTree(first.answer(answer, null).body()).get("content"));

        JsonNode chat = sent(request, Dialect.MESSAGES, Dialect.CHAT);
        JsonNode other = sent(request, Dialect.MESSAGES, Dialect.MESSAGES);

        assertThat(chat.at("/messages/1/reasoning_content").asText()).isEqualTo("Two calls.");
        assertThat(other.at("/messages/1/content").findValuesAsText("type")).doesNotContain("thinking");
    }

    @Test
    void readsIdsThatAreNotItsOwn() {
        for (String id : new String[] {"call_1", "toolu_1__mr1_", "x__mr1_!!", "x__mr1_AAAA", "__mr1_eJyrrgUAAXUA-Q"}) {
            assertThat(decoded(id).reasoning()).isEmpty();
            assertThat(decoded(id).seal()).isNull();
            assertThat(decoded(id).id()).isEqualTo(CallIds.plain(id)).isNotEmpty();
        }
    }

    @Test
    void carriesSealsInIds() {
        Seal seal = new Seal(Dialect.GEMINI, "", "AbC+/=ü");

        CallIds.Carried carried = decoded(CallIds.encode("call_1", List.of(), seal));

        assertThat(carried.id()).isEqualTo("call_1");
        assertThat(carried.seal()).isEqualTo(seal);
        assertThat(Seal.decode(seal.encode())).isEqualTo(seal);
        assertThat(Seal.decode("EqQBCgIYAhIM")).isNull();
        assertThat(Seal.decode("mr1.NONE..AAAA")).isNull();
    }

    private static CallIds.Carried decoded(String id) {
        byte[] call = Json.bytes(Json.object().put("id", id));
        return new CallIds().decode(JsonFields.ofBody(call), "id");
    }

    /** The request that follows: the model's message, and a result for each of its calls. */
    private static ObjectNode chatRequest(JsonNode message) {
        ObjectNode request = JSON.createObjectNode().put("model", "m");
        ArrayNode messages = request.putArray("messages");
        messages.addObject().put("role", "user").put("content", "Hi");
        messages.add(message);
        for (JsonNode call : message.get("tool_calls")) {
            messages.addObject()
                    .put("role", "tool")
                    .put("tool_call_id", call.get("id").asText())
                    .put("content", "18");
        }
        return request;
    }

    private static JsonNode assistantContent(ObjectNode request) throws IOException {
        return sent(request, Dialect.CHAT, Dialect.MESSAGES).at("/messages/1/content");
    }

    private static JsonNode sent(ObjectNode request, Dialect client, Dialect upstream) throws IOException {
        Translation translation = Translation.of(client, upstream);
        byte[] body = JSON.writeValueAsBytes(request);
        return JSON.readTree(
                translation.request(body, Requests.path(client), null).body());
    }
}
