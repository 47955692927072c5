package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Chat's {@code functions}, the older form of {@code tools}: clients that ask with them get answers in the same form. */
class LegacyFunctionsTest {
    private static final String TOOLS = "'functions':[{'name':'a.b','parameters':{'type':'object'}},{'name':'c'}]";

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void areTools(Dialect upstream) {
        TranslatedRequest request = request(upstream, TOOLS + ",'function_call':{'name':'c'}");

        assertThat(request.dropped()).isEmpty();
        assertThat(json(request.body()).get("tools").findValuesAsText("name")).hasSize(2);
        assertThat(new String(request.body(), StandardCharsets.UTF_8)).contains("a_b_");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {"'none' | {'type':'none'}", "'auto' | {'type':'auto','disable_parallel_tool_use':true}"})
    void areChosenAsBefore(String choice, String written) {
        JsonNode body = json(
                request(Dialect.MESSAGES, TOOLS + ",'function_call':" + choice).body());

        assertThat(body.get("tool_choice")).hasToString(written.replace('\'', '"'));
    }

    @Test
    void joinsCallsAndResultsByNameAndOrder() {
        String messages = "'messages':[{'role':'user','content':'Hi'},"
                + "{'role':'assistant','content':null,'function_call':{'name':'c','arguments':'{}'}},"
                + "{'role':'function','name':'c','content':'one'},"
                + "{'role':'assistant','content':null,'function_call':{'name':'c','arguments':'{ }'}},"
                + "{'role':'function','name':'c','content':'two'},"
                + "{'role':'function','name':'lost','content':'three'}]";
        JsonNode sent =
                json(request(Dialect.CHAT, TOOLS + "," + messages).body()).get("messages");

        assertThat(sent.findValuesAsText("role"))
                .containsExactly("user", "assistant", "tool", "assistant", "tool", "user");
        assertThat(sent.get(1).at("/tool_calls/0/id")).isEqualTo(sent.get(2).get("tool_call_id"));
        assertThat(sent.get(3).at("/tool_calls/0/id")).isEqualTo(sent.get(4).get("tool_call_id"));
        assertThat(sent.get(2).get("tool_call_id")).isNotEqualTo(sent.get(4).get("tool_call_id"));
        assertThat(sent.get(5).toString()).contains("Result of lost: ", "three");
    }

    @Test
    void haveTheirCallBackAsOneInAStream() {
        List<JsonNode> chunks = stream("c", "{\"x\":1}");

        StringBuilder arguments = new StringBuilder();
        List<String> names = new ArrayList<>();
        List<String> reasons = new ArrayList<>();
        for (JsonNode chunk : chunks) {
            JsonNode call = chunk.at("/choices/0/delta/function_call");
            arguments.append(call.path("arguments").asText());
            if (call.has("name")) {
                names.add(call.get("name").textValue());
            }
            if (chunk.at("/choices/0/finish_reason").isTextual()) {
                reasons.add(chunk.at("/choices/0/finish_reason").textValue());
            }
            assertThat(chunk.at("/choices/0/delta").has("tool_calls")).isFalse();
        }
        assertThat(arguments).hasToString("{\"x\":1}");
        assertThat(names).containsExactly("c");
        assertThat(reasons).containsExactly("function_call");
    }

    @Test
    void haveTheirCallBackAsOneInAWholeAnswer() {
        Translation translation = translation();
        byte[] answer = ("{'id':'m','type':'message','role':'assistant','model':'m','content':[{'type':'tool_use',"
                        + "'id':'toolu_1','name':'" + ToolName.of("a.b")
                        + "','input':{'x':1}}],'stop_reason':'tool_use'}")
                .replace('\'', '"')
                .getBytes(StandardCharsets.UTF_8);

        JsonNode choice = json(translation.answer(answer, null).body()).at("/choices/0");

        assertThat(choice.at("/message/function_call"))
                .hasToString("{\"name\":\"a.b\",\"arguments\":\"{\\\"x\\\":1}\"}");
        assertThat(choice.get("message").has("tool_calls")).isFalse();
        assertThat(choice.get("finish_reason").textValue()).isEqualTo("function_call");
    }

    private static Translation translation() {
        Translation translation = Translation.of(Dialect.CHAT, Dialect.MESSAGES);
        translation.request(body(TOOLS), Requests.path(Dialect.CHAT), null);
        return translation;
    }

    private static List<JsonNode> stream(String name, String arguments) {
        DeltaWriter writer = ClientFormat.of(Dialect.CHAT).stream(translation().request());
        var out = io.netty.buffer.Unpooled.buffer();
        writer.to(out);
        AnswerGrammar answer = new AnswerGrammar(writer);
        answer.toolCall(0, "call_1", name, null);
        answer.arguments(0, arguments);
        answer.toolCallEnd(0);
        answer.toolCall(1, "call_2", name, null);
        answer.arguments(1, "{}");
        answer.toolCallEnd(1);
        answer.stop(StopReason.TOOL_CALLS, null);
        answer.end();
        String frames = out.toString(StandardCharsets.UTF_8);
        out.release();
        return frames.lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> (JsonNode) Json.parseObject(line.substring("data: ".length())))
                .toList();
    }

    private static TranslatedRequest request(Dialect upstream, String fields) {
        return Translation.of(Dialect.CHAT, upstream).request(body(fields), Requests.path(Dialect.CHAT), null);
    }

    private static byte[] body(String fields) {
        String messages = fields.contains("'messages'") ? "" : ",'messages':[{'role':'user','content':'Hi'}]";
        return ("{'model':'m'," + fields + messages + "}").replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static JsonNode json(byte[] body) {
        return Json.parseObject(body, 0, body.length);
    }
}
