package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Toolsets that a client of Messages runs: their members are functions, and calls come back as the members'. */
class ToolsetsTest {
    private static final String BOTH = "{'type':'computer_toolset_20260801','configs':{'zoom':{'enabled':false}}},"
            + "{'type':'browser_toolset_20260801','configs':{'javascript_exec':{'enabled':true},'find':{'enabled':null}}}";

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void becomeFunctionsOfEveryUpstream(Dialect upstream) {
        TranslatedRequest request = request(upstream, BOTH, "'Hi'");
        List<String> names = json(request.body()).get("tools").findValuesAsText("name");

        assertThat(request.dropped()).isEmpty();
        assertThat(names)
                .contains("computer__left_click", "browser__left_click", "browser__find", "browser__javascript_exec")
                .doesNotContain("computer__zoom", "browser__file_upload")
                .doesNotHaveDuplicates();
    }

    @Test
    void haveSchemasWithWhatIsRequired() {
        JsonNode tools = json(request(Dialect.MESSAGES, BOTH, "'Hi'").body()).get("tools");

        for (JsonNode tool : tools) {
            JsonNode schema = tool.get("input_schema");
            assertThat(schema.get("type").textValue()).isEqualTo("object");
            assertThat(tool.get("description").textValue()).endsWith(".");
            schema.path("required")
                    .forEach(name -> assertThat(schema.get("properties").has(name.textValue()))
                            .isTrue());
            schema.get("properties")
                    .forEach(property -> assertThat(property.isObject()).isTrue());
        }
        JsonNode scroll = schemaOf(tools, "browser__scroll");
        assertThat(scroll.get("required").toString()).isEqualTo("[\"scroll_direction\",\"target\"]");
        assertThat(scroll.at("/properties/target/properties/type/const").textValue())
                .isEqualTo("coordinate");
        assertThat(schemaOf(tools, "browser__left_click").at("/properties/target/anyOf"))
                .hasSize(2);
    }

    @Test
    void haveTheirCallsBackAndFollowThemInTheHistory() {
        Translation translation = Translation.of(Dialect.MESSAGES, Dialect.CHAT);
        translation.request(body(BOTH, "'Hi'"), Requests.path(Dialect.MESSAGES), null);
        String answer = "{'id':'c','choices':[{'index':0,'message':{'role':'assistant','tool_calls':[{'id':'call_1',"
                + "'type':'function','function':{'name':'browser__find','arguments':'{}'}}]},'finish_reason':'tool_calls'}]}";
        JsonNode block = json(translation.answer(bytes(answer), null).body()).at("/content/0");

        assertThat(block.get("name").textValue()).isEqualTo("find");
        assertThat(block.get("toolset_name").textValue()).isEqualTo("browser");

        String history = "[" + block.toString().replace('"', '\'') + "]";
        JsonNode sent = json(request(Dialect.CHAT, BOTH, "'Hi'},{'role':'assistant','content':" + history)
                .body());
        assertThat(sent.at("/messages/1/tool_calls/0/function/name").textValue())
                .isEqualTo("browser__find");
    }

    @Test
    void streamTheNameOfTheToolset() {
        Translation translation = Translation.of(Dialect.MESSAGES, Dialect.CHAT);
        translation.request(body(BOTH, "'Hi'"), Requests.path(Dialect.MESSAGES), null);
        String chunk = "data: {'id':'c','choices':[{'index':0,'delta':{'tool_calls':[{'index':0,'id':'call_1',"
                + "'function':{'name':'computer__screenshot','arguments':'{}'}}]},'finish_reason':'tool_calls'}]}\n\n";
        List<byte[]> frames = Recorded.frames(bytes(chunk + "data: [DONE]\n\n"));

        assertThat(Recorded.translate(translation.stream(), frames))
                .contains("\"name\":\"screenshot\",\"toolset_name\":\"computer\"");
    }

    private static JsonNode schemaOf(JsonNode tools, String name) {
        for (JsonNode tool : tools) {
            if (tool.get("name").textValue().equals(name)) {
                return tool.get("input_schema");
            }
        }
        throw new AssertionError("no tool " + name);
    }

    private static TranslatedRequest request(Dialect upstream, String tools, String content) {
        return Translation.of(Dialect.MESSAGES, upstream)
                .request(body(tools, content), Requests.path(Dialect.MESSAGES), null);
    }

    private static byte[] body(String tools, String content) {
        return bytes("{'model':'m','max_tokens':9,'tools':[" + tools + "],'messages':[{'role':'user','content':"
                + content + "}]}");
    }

    private static byte[] bytes(String json) {
        return json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static JsonNode json(byte[] body) {
        return Json.parseObject(body, 0, body.length);
    }
}
