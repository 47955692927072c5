package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Tools that are not plain functions for their client. They become functions, and the client gets calls in its own
 * form.
 */
class ClientToolsTest {
    private static final String TOOLS = """
            {"type": "function", "name": "plain", "parameters": {"properties": {}}},
            {"type": "custom", "name": "apply", "description": "Edits",
             "format": {"type": "grammar", "syntax": "lark", "definition": "start: PATCH"}},
            {"type": "namespace", "name": "mcp__docs", "description": "Docs", "tools": [
              {"type": "function", "name": "search", "parameters": {"type": "object"}},
              {"type": "custom", "name": "note"}]},
            {"type": "local_shell"}, {"type": "shell", "environment": {"type": "local"}}, {"type": "apply_patch"},
            {"type": "computer"}, {"type": "tool_search", "execution": "client", "parameters": {"type": "object"}}""";

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void becomeFunctionsOfEveryUpstream(Dialect upstream) {
        TranslatedRequest request = request(upstream, "\"Hi\"", TOOLS);

        assertThat(request.dropped()).isEmpty();
        assertThat(json(request.body()).findValuesAsText("name"))
                .containsSubsequence(
                        "plain",
                        "apply",
                        "mcp__docs__search",
                        "mcp__docs__note",
                        "local_shell",
                        "shell",
                        "apply_patch",
                        "computer",
                        "tool_search");
        assertThat(new String(request.body(), StandardCharsets.UTF_8)).contains("start: PATCH");
        assertThat(json(request.body()).findValuesAsText("description")).contains("Docs");
    }

    @Test
    void tellOfTheirNamespaceWithoutEnd() {
        String about = "x".repeat(1000);
        StringBuilder members = new StringBuilder();
        for (int i = 0; i < 1000; i++) {
            members.append(i == 0 ? "" : ",")
                    .append("{\"type\":\"function\",\"name\":\"f")
                    .append(i)
                    .append("\"}");
        }
        String namespace =
                "{\"type\":\"namespace\",\"name\":\"n\",\"description\":\"" + about + "\",\"tools\":[" + members + "]}";

        TranslatedRequest request = request(Dialect.CHAT, "\"Hi\"", namespace);

        assertThat(json(request.body()).findValuesAsText("description")).hasSize(65);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "plain             | {\"a\":1} | {\"type\":\"function_call\",\"arguments\":\"{\\\"a\\\":1}\",\"name\":\"plain\"}",
                "apply             | {\"input\":\"*** \\\"B\"} | {\"type\":\"custom_tool_call\",\"name\":\"apply\",\"input\":\"*** \\\"B\"}",
                "mcp__docs__search | {\"q\":1} | {\"type\":\"function_call\",\"arguments\":\"{\\\"q\\\":1}\",\"name\":\"search\",\"namespace\":\"mcp__docs\"}",
                "mcp__docs__note   | {\"input\":\"x\"} | {\"type\":\"custom_tool_call\",\"name\":\"note\",\"input\":\"x\",\"namespace\":\"mcp__docs\"}",
                "local_shell       | {\"command\":[\"ls\"],\"timeout_ms\":5} | {\"type\":\"local_shell_call\",\"action\":{\"type\":\"exec\",\"command\":[\"ls\"],\"timeout_ms\":5,\"env\":{}}}",
                "local_shell       | {\"command\":\"ls -l\"} | {\"type\":\"local_shell_call\",\"action\":{\"type\":\"exec\",\"command\":[\"bash\",\"-lc\",\"ls -l\"],\"env\":{}}}",
                "shell             | {\"commands\":[\"ls\"]} | {\"type\":\"shell_call\",\"action\":{\"commands\":[\"ls\"]}}",
                "apply_patch       | {\"type\":\"delete_file\",\"path\":\"a\"} | {\"type\":\"apply_patch_call\",\"operation\":{\"type\":\"delete_file\",\"path\":\"a\"}}",
                "computer          | {\"actions\":[{\"type\":\"wait\"}]} | {\"type\":\"computer_call\",\"actions\":[{\"type\":\"wait\"}],\"action\":{\"type\":\"wait\"},\"pending_safety_checks\":[]}",
                "tool_search       | {\"query\":\"x\"} | {\"type\":\"tool_search_call\",\"execution\":\"client\",\"arguments\":{\"query\":\"x\"}}",
            })
    void haveTheirCallsBack(String name, String arguments, String item) {
        List<JsonNode> events = stream(name, arguments);

        JsonNode done = only(events, "response.output_item.done").get("item");
        assertThat(done.get("status").textValue()).isEqualTo("completed");
        assertThat(done.get("call_id").textValue()).isEqualTo("call_7");
        JsonNode wanted = Json.parseObject(item);
        wanted.properties()
                .forEach(field ->
                        assertThat(done.get(field.getKey())).as(field.getKey()).isEqualTo(field.getValue()));
        assertThat(only(events, "response.completed").at("/response/output/0")).isEqualTo(done);
        assertThat(whole(name, arguments).at("/output/0/type")).isEqualTo(done.get("type"));
    }

    @Test
    void streamTheTextOfACustomTool() {
        List<JsonNode> events = stream("apply", "{\"input\":\"*** Begin\\nEnd\"}");

        StringBuilder text = new StringBuilder();
        events.stream()
                .filter(event -> event.get("type").textValue().equals("response.custom_tool_call_input.delta"))
                .forEach(event -> text.append(event.get("delta").textValue()));
        assertThat(text).hasToString("*** Begin\nEnd");
        assertThat(only(events, "response.custom_tool_call_input.done")
                        .get("input")
                        .textValue())
                .isEqualTo("*** Begin\nEnd");
        assertThat(events).noneMatch(event -> event.get("type").textValue().contains("function_call_arguments"));
    }

    @ParameterizedTest
    @CsvSource({
        "local_shell, action",
        "shell, action",
        "apply_patch, operation",
        "computer, actions",
        "tool_search, arguments"
    })
    void areIncompleteWhereTheirArgumentsAreCut(String name, String field) {
        JsonNode item =
                only(stream(name, "{\"com"), "response.output_item.done").get("item");

        assertThat(item.get("status").textValue()).isEqualTo("incomplete");
        assertThat(item.has(field)).isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void areFollowedInTheHistory(Dialect upstream) {
        String input = """
                [{"role": "user", "content": "Hi"},
                 {"type": "custom_tool_call", "call_id": "c1", "name": "apply", "input": "*** \\"B"},
                 {"type": "function_call", "call_id": "c2", "namespace": "mcp__docs", "name": "search", "arguments": "{}"},
                 {"type": "local_shell_call", "call_id": "c3", "action": {"type": "exec", "command": ["ls"]}},
                 {"type": "shell_call", "call_id": "c4", "action": {"commands": ["pwd"]}},
                 {"type": "apply_patch_call", "call_id": "c5", "operation": {"type": "delete_file", "path": "p1"}},
                 {"type": "computer_call", "call_id": "c6", "action": {"type": "screenshot"}},
                 {"type": "tool_search_call", "call_id": "c7", "execution": "client", "arguments": {"query": "q1"}},
                 {"type": "custom_tool_call_output", "call_id": "c1", "output": "result-1"},
                 {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "result-2"}]},
                 {"type": "local_shell_call_output", "id": "c3", "output": "result-3"},
                 {"type": "shell_call_output", "call_id": "c4",
                  "output": [{"stdout": "result-4", "stderr": "", "outcome": {"type": "exit", "exit_code": 3}}]},
                 {"type": "apply_patch_call_output", "call_id": "c5", "status": "failed", "output": "result-5"},
                 {"type": "computer_call_output", "call_id": "c6",
                  "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBO"}},
                 {"type": "tool_search_output", "call_id": "c7", "execution": "client", "status": "completed",
                  "tools": [{"type": "namespace", "name": "cal", "tools": [{"type": "function", "name": "add"}]}]},
                 {"type": "web_search_call", "id": "ws_1", "status": "completed"}, {"type": "mcp_list_tools", "id": "m"},
                 {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "late"}]},
                 {"role": "user", "content": "Go on"}]""";

        String sent = new String(request(upstream, input, TOOLS).body(), StandardCharsets.UTF_8);

        assertThat(sent).contains("*** ", "mcp__docs__search", "\"ls", "pwd", "p1", "screenshot", "q1", "iVBO");
        assertThat(sent).contains("result-1", "result-2", "result-3", "result-4", "exit code 3", "result-5");
        assertThat(sent).contains("cal__add", "late", "Go on").doesNotContain("ws_1");
    }

    @Test
    void areChosenByTheNameOfTheirFunction() {
        assertThat(choice("{\"type\": \"custom\", \"name\": \"apply\"}")).isEqualTo("apply");
        assertThat(choice("{\"type\": \"function\", \"namespace\": \"mcp__docs\", \"name\": \"search\"}"))
                .isEqualTo("mcp__docs__search");
        assertThat(choice("{\"type\": \"shell\"}")).isEqualTo("shell");
    }

    @Test
    void ofMessagesHaveTheSchemaThatItsModelsKnow() {
        String body = """
                {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}], "tools": [
                 {"type": "bash_20250124", "name": "bash"}, {"type": "memory_20250818", "name": "memory"},
                 {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 9},
                 {"type": "computer_20251124", "name": "computer", "display_width_px": 800, "display_height_px": 600}]}""";
        TranslatedRequest request = Translation.of(Dialect.MESSAGES, Dialect.CHAT)
                .request(body.getBytes(StandardCharsets.UTF_8), "/v1/messages", null);

        JsonNode tools = json(request.body()).get("tools");
        assertThat(request.dropped()).isEmpty();
        assertThat(tools.findValuesAsText("name"))
                .containsExactly("bash", "memory", "str_replace_based_edit_tool", "computer");
        assertThat(tools.get(0).at("/function/parameters/properties").has("command"))
                .isTrue();
        assertThat(tools.get(3).at("/function/description").textValue()).contains("800 by 600");
        tools.forEach(tool ->
                assertThat(tool.at("/function/parameters/type").textValue()).isEqualTo("object"));
    }

    @Test
    void ofChatComeBackAsCustomCalls() {
        String body = """
                {"model": "m", "stream": true, "messages": [
                  {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "apply", "input": "old"}}]},
                  {"role": "tool", "tool_call_id": "c", "content": "ok"}],
                 "tools": [{"type": "custom", "custom": {"name": "apply"}}, {"type": "custom", "name": "flat"}]}""";
        Translation translation = Translation.of(Dialect.CHAT, Dialect.MESSAGES);
        JsonNode sent = json(translation
                .request(body.getBytes(StandardCharsets.UTF_8), "/v1/chat/completions", null)
                .body());
        DeltaWriter writer = ClientFormat.of(Dialect.CHAT).stream(translation.request());
        ByteBuf out = Unpooled.buffer();
        writer.to(out);
        say(writer, "apply", "{\"input\":\"a\\nb\"}");
        String streamed = out.toString(StandardCharsets.UTF_8);
        AnswerWriter answer = ClientFormat.of(Dialect.CHAT).answer(translation.request());
        say(answer, "apply", "{\"input\":\"a\\nb\"}");

        assertThat(sent.at("/messages/0/content/0/input/input").textValue()).isEqualTo("old");
        assertThat(sent.at("/tools").findValuesAsText("name")).containsExactly("apply", "flat");
        assertThat(streamed)
                .contains(
                        "\"type\":\"custom\",\"custom\":{\"name\":\"apply\",\"input\":\"\"}",
                        "\"custom\":{\"input\":\"a\"}",
                        "\"custom\":{\"input\":\"\\nb\"}")
                .doesNotContain("arguments");
        assertThat(json(answer.body())
                        .at("/choices/0/message/tool_calls/0/custom")
                        .toString())
                .isEqualTo("{\"name\":\"apply\",\"input\":\"a\\nb\"}");
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void keepTheirNamesThoughNotEveryProviderTakesThem(Dialect client) {
        String name = "mcp__a.server__" + "x".repeat(80);
        String function = "\"name\": \"" + name + "\"";
        String body = switch (client) {
            case CHAT ->
                "{\"model\": \"m\", \"messages\": [], \"tools\": [{\"type\": \"function\", \"function\": {" + function
                        + "}}]}";
            case MESSAGES ->
                "{\"model\": \"m\", \"messages\": [], \"tools\": [{" + function + ", \"input_schema\": {}}]}";
            case RESPONSES ->
                "{\"model\": \"m\", \"input\": [], \"tools\": [{\"type\": \"function\", " + function + "}]}";
            default -> "{\"contents\": [], \"tools\": [{\"functionDeclarations\": [{" + function + "}]}]}";
        };
        Translation translation = Translation.of(client, Dialect.CHAT);
        String sent = json(translation
                        .request(body.getBytes(StandardCharsets.UTF_8), Requests.path(client), null)
                        .body())
                .at("/tools/0/function/name")
                .textValue();
        DeltaWriter writer = ClientFormat.of(client).stream(translation.request());
        ByteBuf out = Unpooled.buffer();
        writer.to(out);
        say(writer, sent, "{}");
        AnswerWriter answer = ClientFormat.of(client).answer(translation.request());
        say(answer, sent, "{}");

        assertThat(sent).matches("mcp__a_server__x+_[0-9a-f]{8}").hasSize(64);
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("\"" + name + "\"")
                .doesNotContain(sent);
        assertThat(new String(answer.body(), StandardCharsets.UTF_8))
                .contains("\"" + name + "\"")
                .doesNotContain(sent);
    }

    private static String choice(String choice) {
        JsonNode sent =
                json(request(Dialect.MESSAGES, "\"Hi\"", TOOLS + "], \"tool_choice\": " + choice + ", \"include\": [")
                        .body());
        return sent.at("/tool_choice/name").textValue();
    }

    private static TranslatedRequest request(Dialect upstream, String input, String tools) {
        return Translation.of(Dialect.RESPONSES, upstream).request(body(input, tools), "/v1/responses", null);
    }

    private static byte[] body(String input, String tools) {
        return ("{\"model\": \"m\", \"stream\": true, \"input\": " + input + ", \"tools\": [" + tools + "]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** The events that a client gets when the model makes this call, its arguments in pieces of three characters. */
    private static List<JsonNode> stream(String name, String arguments) {
        DeltaWriter writer = ClientFormat.of(Dialect.RESPONSES).stream(asked());
        ByteBuf out = Unpooled.buffer();
        writer.to(out);
        say(writer, name, arguments);
        List<JsonNode> events = new ArrayList<>();
        for (String frame : out.toString(StandardCharsets.UTF_8).split("\n\n", 0)) {
            events.add(Json.parseObject(frame.substring(frame.indexOf("data: ") + "data: ".length())));
        }
        return events;
    }

    private static JsonNode whole(String name, String arguments) {
        AnswerWriter writer = ClientFormat.of(Dialect.RESPONSES).answer(asked());
        say(writer, name, arguments);
        return json(writer.body());
    }

    private static ModelRequest asked() {
        Translation translation = Translation.of(Dialect.RESPONSES, Dialect.CHAT);
        translation.request(body("\"Hi\"", TOOLS), "/v1/responses", null);
        return translation.request();
    }

    private static void say(DeltaSink writer, String name, String arguments) {
        writer.start("id", "m", 1);
        writer.toolCall(0, "call_7", name, null);
        for (int i = 0; i < arguments.length(); i += 3) {
            writer.arguments(0, arguments.substring(i, Math.min(arguments.length(), i + 3)));
        }
        writer.toolCallEnd(0);
        writer.stop(StopReason.TOOL_CALLS, null);
        writer.end();
    }

    private static JsonNode only(List<JsonNode> events, String type) {
        List<JsonNode> found = events.stream()
                .filter(event -> event.get("type").textValue().equals(type))
                .toList();
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private static JsonNode json(byte[] body) {
        return Json.parseObject(body, 0, body.length);
    }
}
