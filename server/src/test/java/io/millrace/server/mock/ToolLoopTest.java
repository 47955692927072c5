package io.millrace.server.mock;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RawClient.Response;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The mock as a model that works with a client's tools, asked by a small client of each dialect. */
@Tag("sockets")
class ToolLoopTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SCHEMA =
            "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\"},\"why\":{\"type\":\"string\"}},"
                    + "\"required\":[\"command\",\"why\"]}";
    private static final String READ =
            "{\"type\":\"object\",\"properties\":{\"file_path\":{\"type\":\"string\"}},\"required\":[\"file_path\"]}";

    private static MockServer mock;

    /** A client of a dialect: asks, and adds the answer and the results of its tools to its next request. */
    enum Client {
        CHAT(
                "/v1/chat/completions",
                "{'messages':[{'role':'user','content':'Go on'}],'tools':["
                        + "{'type':'function','function':{'name':'Shell','parameters':SCHEMA}},"
                        + "{'type':'function','function':{'name':'Read','parameters':READ}}]}") {
            @Override
            List<JsonNode> calls(JsonNode answer) {
                return list(answer.at("/choices/0/message/tool_calls"));
            }

            @Override
            JsonNode arguments(JsonNode call) throws IOException {
                return JSON.readTree(call.at("/function/arguments").asText());
            }

            @Override
            void tell(ObjectNode request, JsonNode answer) {
                ArrayNode messages = request.withArray("messages").add(answer.at("/choices/0/message"));
                for (JsonNode call : calls(answer)) {
                    messages.addObject()
                            .put("role", "tool")
                            .put("tool_call_id", call.path("id").asText())
                            .put("content", "said\n" + call.path("id").asText() + "\n");
                }
            }

            @Override
            String text(JsonNode answer) {
                return answer.at("/choices/0/message/content").asText();
            }
        },
        RESPONSES(
                "/v1/responses",
                "{'include':['reasoning.encrypted_content'],'input':[{'role':'user','content':'Go on'}],'tools':["
                        + "{'type':'namespace','name':'things','tools':["
                        + "{'type':'function','name':'Shell','parameters':SCHEMA},"
                        + "{'type':'function','name':'Read','parameters':READ}]}]}") {
            @Override
            List<JsonNode> calls(JsonNode answer) {
                return list(answer.path("output")).stream()
                        .filter(item -> item.has("call_id"))
                        .toList();
            }

            @Override
            JsonNode arguments(JsonNode call) throws IOException {
                assertThat(call.path("namespace").asText()).isEqualTo("things");
                return JSON.readTree(call.path("arguments").asText());
            }

            @Override
            void tell(ObjectNode request, JsonNode answer) {
                ArrayNode input = request.withArray("input");
                answer.path("output").forEach(input::add);
                for (JsonNode call : calls(answer)) {
                    input.addObject()
                            .put("type", "function_call_output")
                            .put("call_id", call.path("call_id").asText())
                            .put("output", "said\n" + call.path("call_id").asText());
                }
            }

            @Override
            String text(JsonNode answer) {
                return answer.at("/output/1/content/0/text").asText();
            }
        },
        MESSAGES(
                "/v1/messages",
                "{'messages':[{'role':'user','content':'Go on'}],'tools':["
                        + "{'name':'Shell','input_schema':SCHEMA},{'name':'Read','input_schema':READ}]}") {
            @Override
            List<JsonNode> calls(JsonNode answer) {
                return list(answer.path("content")).stream()
                        .filter(block -> block.path("type").asText().equals("tool_use"))
                        .toList();
            }

            @Override
            JsonNode arguments(JsonNode call) {
                return call.path("input");
            }

            @Override
            void tell(ObjectNode request, JsonNode answer) {
                ArrayNode messages = request.withArray("messages");
                messages.addObject().put("role", "assistant").set("content", answer.path("content"));
                ArrayNode results = messages.addObject().put("role", "user").putArray("content");
                for (JsonNode call : calls(answer)) {
                    results.addObject()
                            .put("type", "tool_result")
                            .put("tool_use_id", call.path("id").asText())
                            .putArray("content")
                            .addObject()
                            .put("type", "text")
                            .put("text", "said\n" + call.path("id").asText());
                }
                results.addObject().put("type", "text").put("text", "A reminder of the client's own");
            }

            @Override
            String text(JsonNode answer) {
                return answer.at("/content/1/text").asText();
            }
        },
        GEMINI(
                "/v1beta/models/mock:generateContent",
                "{'contents':[{'role':'user','parts':[{'text':'Go on'}]}],'tools':[{'functionDeclarations':["
                        + "{'name':'Shell','parametersJsonSchema':SCHEMA},{'name':'Read','parameters':READ}]}]}") {
            @Override
            List<JsonNode> calls(JsonNode answer) {
                return list(answer.at("/candidates/0/content/parts")).stream()
                        .filter(part -> part.has("functionCall"))
                        .toList();
            }

            @Override
            JsonNode arguments(JsonNode call) {
                return call.at("/functionCall/args");
            }

            @Override
            void tell(ObjectNode request, JsonNode answer) {
                ArrayNode contents = request.withArray("contents").add(answer.at("/candidates/0/content"));
                ArrayNode results = contents.addObject().put("role", "user").putArray("parts");
                for (JsonNode call : calls(answer)) {
                    results.addObject()
                            .putObject("functionResponse")
                            .put("name", call.at("/functionCall/name").asText())
                            .putObject("response")
                            .put("output", "said\n" + call.at("/functionCall/args"));
                }
            }

            @Override
            String text(JsonNode answer) {
                return answer.at("/candidates/0/content/parts/1/text").asText();
            }
        };

        final String path;
        private final String body;

        Client(String path, String body) {
            this.path = path;
            this.body = body;
        }

        ObjectNode request() throws IOException {
            return (ObjectNode) JSON.readTree(
                    body.replace('\'', '"').replace("SCHEMA", SCHEMA).replace("READ", READ));
        }

        abstract List<JsonNode> calls(JsonNode answer);

        abstract JsonNode arguments(JsonNode call) throws IOException;

        abstract void tell(ObjectNode request, JsonNode answer);

        abstract String text(JsonNode answer);

        static List<JsonNode> list(JsonNode array) {
            return StreamSupport.stream(array.spliterator(), false).toList();
        }
    }

    @BeforeAll
    static void start() {
        mock = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("tool-loop,file=/notes")));
    }

    @AfterAll
    static void stop() {
        mock.close();
    }

    @ParameterizedTest
    @EnumSource
    void callsOnceThenTwoAtOnceThenSaysWhatCameBack(Client client) throws IOException {
        ObjectNode request = client.request();
        var arguments = new ArrayList<String>();
        JsonNode answer = ask(client, request);
        for (int calls : new int[] {1, 2}) {
            assertThat(client.calls(answer)).hasSize(calls);
            for (JsonNode call : client.calls(answer)) {
                arguments.add(client.arguments(call).toString());
            }
            client.tell(request, answer);
            answer = ask(client, request);
        }
        assertThat(client.calls(answer)).isEmpty();
        assertThat(arguments)
                .containsExactly(
                        "{\"command\":\"echo result-1\",\"why\":\"any\"}",
                        "{\"command\":\"echo result-2\",\"why\":\"any\"}",
                        "{\"file_path\":\"/notes\"}");
        assertThat(client.text(answer)).startsWith("The tools said: ").contains("; ");

        // The next task begins anew.
        client.tell(request, answer);
        assertThat(client.calls(ask(client, request))).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource
    void refusesThoughtsThatAreNotSentBackAsTheyWere(Client client) throws IOException {
        ObjectNode request = client.request();
        client.tell(request, ask(client, request));
        String kept = request.toString();
        for (String altered : List.of(
                kept.replaceAll(
                        "\"(encrypted_content|thoughtSignature|signature|reasoning_content)\":\"[^\"]*\"", "\"x\":1"),
                kept.replaceAll(
                        "\"(encrypted_content|thoughtSignature|signature|reasoning_content)\":\"[^\"]*\"",
                        "\"$1\":\"bW9jay1zZWFsLTEtMQ==\""))) {
            assertThat(altered).isNotEqualTo(kept);
            Response response = send(client, altered);
            assertThat(response.status()).isEqualTo(400);
            assertThat(response.text()).contains("reasoning: ");
        }
        assertThat(send(client, kept).status()).isEqualTo(200);
    }

    @Test
    void takesTheThoughtsOfAnAnswerThatWasCutOffBesideThoseOfTheNext() throws IOException {
        ObjectNode request = Client.CHAT.request();
        Client.CHAT.tell(request, ask(Client.CHAT, request));
        String twice = request.toString().replaceAll("(\"reasoning_content\":\")([^\"]*)\"", "$1$2$2\"");
        assertThat(twice).isNotEqualTo(request.toString());
        assertThat(send(Client.CHAT, twice).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @EnumSource
    void refusesCallsWithoutResults(Client client) throws IOException {
        ObjectNode request = client.request();
        client.tell(request, ask(client, request));
        var turns = (ArrayNode)
                request.path(request.has("input") ? "input" : request.has("contents") ? "contents" : "messages");
        turns.remove(turns.size() - 1);
        Response response = send(client, request.toString());
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.text()).contains("tool call: ");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void callsToolsThatTakeTextOrScripts(boolean custom) throws IOException {
        String tool = custom
                ? "{'type':'custom','name':'exec','format':{'type':'text'}}"
                : "{'type':'function','name':'exec','parameters':{'properties':{'input':{'type':'string'}}}}";
        String request = "{'input':[{'type':'additional_tools','role':'developer','tools':[" + tool
                + "]},{'role':'user','content':'Go on'}]}";
        JsonNode call = ask(Client.RESPONSES, (ObjectNode) JSON.readTree(request.replace('\'', '"')))
                .at("/output/1");
        String input = custom
                ? call.path("input").asText()
                : JSON.readTree(call.path("arguments").asText()).path("input").asText();
        assertThat(call.path("type").asText()).isEqualTo(custom ? "custom_tool_call" : "function_call");
        assertThat(input).isEqualTo("text((await tools.exec_command({cmd: \"echo result-1\"})).output);");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/chat/completions", "/v1/responses", "/v1/messages"})
    void streamsCallsAtOnce(String path) throws IOException {
        Client client = StreamSupport.stream(List.of(Client.values()).spliterator(), false)
                .filter(each -> each.path.equals(path))
                .findFirst()
                .orElseThrow();
        ObjectNode request = client.request();
        client.tell(request, ask(client, request));
        String stream = send(client, request.put("stream", true).toString()).text();
        assertThat(stream.lines().filter(line -> line.contains("Shell")).collect(Collectors.joining()))
                .contains("_mock");
        assertThat(stream).contains("\"Read\"");
    }

    @Test
    void showsTheRequestsThatCame() throws IOException {
        String body = Client.CHAT.request().toString();
        send(Client.CHAT, body);
        try (var client = new RawClient(mock.port())) {
            client.send("GET", "/__mock/requests", "");
            JsonNode requests = JSON.readTree(client.readAll().text());
            JsonNode last = requests.path(requests.size() - 1);
            assertThat(last.path("uri").asText()).isEqualTo(Client.CHAT.path);
            assertThat(last.path("body").asText()).isEqualTo(body);
            assertThat(last.path("headers").toString()).contains("ontent-");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/messages/count_tokens", "/v1/responses/input_tokens", "/v1beta/models/m:countTokens"})
    void countsTokens(String path) throws IOException {
        try (var client = new RawClient(mock.port())) {
            client.send("POST", path, "{\"model\":\"mock\",\"messages\":[]}");
            Response response = client.readAll();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.text()).matches("\\{\"(input_tokens|totalTokens)\":7}");
        }
    }

    private static JsonNode ask(Client client, ObjectNode request) throws IOException {
        Response response = send(client, request.toString());
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        return JSON.readTree(response.text());
    }

    private static Response send(Client client, String body) throws IOException {
        try (var connection = new RawClient(mock.port())) {
            connection.send("POST", client.path, body);
            return connection.readAll();
        }
    }
}
