package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.ThreadMXBean;
import io.millrace.codec.dialect.Dialect;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Requests that are made to be expensive. Their translation has a cost proportional to their size, or they are refused.
 */
@Tag("slow")
class LargeRequestTest {
    private static final int MANY = 20_000;
    /** Close to the deepest JSON that is read. */
    private static final int DEEP = 990;

    private static final Seal SEAL = new Seal(Dialect.MESSAGES, "", "sealed");

    @ParameterizedTest
    @CsvSource({
        "CHAT, messages[0].tool_calls[2].id",
        "MESSAGES, messages[0].content[2].id",
        "RESPONSES, input[2].call_id"
    })
    void refusesIdsThatCarryTooMuchTogether(Dialect client, String param) {
        String id = CallIds.encode("call", List.of(new Part.Reasoning("x".repeat(500_000), SEAL)), null);
        assertThat(id).hasSizeBetween(100, 2000);
        byte[] two = Json.bytes(calls(client, List.of(id, id)));
        byte[] three = Json.bytes(calls(client, List.of(id, id, id)));

        assertThat(translated(client, Dialect.MESSAGES, two).findValues("signature"))
                .hasSizeBetween(0, 2);
        assertThat(catchThrowableOfType(TranslationException.class, () -> translated(client, Dialect.MESSAGES, three))
                        .param())
                .isEqualTo(param);
    }

    @Test
    void carriesWhatDoesNotPackWell() {
        List<String> ids = IntStream.range(0, 40)
                .mapToObj(at -> CallIds.encode(
                        "call_" + at,
                        List.of(new Part.Reasoning(
                                at
                                        + IntStream.range(0, 10_000)
                                                .map(i -> Integer.hashCode(i * 0x9E3779B9))
                                                .mapToObj(Integer::toHexString)
                                                .reduce(
                                                        new StringBuilder(),
                                                        StringBuilder::append,
                                                        StringBuilder::append)
                                                .toString(),
                                SEAL)),
                        null))
                .toList();

        JsonNode sent = translated(Dialect.CHAT, Dialect.MESSAGES, Json.bytes(calls(Dialect.CHAT, ids)));

        assertThat(sent.findValues("signature")).hasSize(40);
    }

    @Test
    void putsNoMoreIntoAnIdThanItWouldTakeBack() {
        Part.Reasoning much = new Part.Reasoning("x".repeat(CallIds.MAX_BYTES), SEAL);

        assertThat(CallIds.encode("call", List.of(much), null)).isEqualTo("call");
    }

    @Test
    void findsCallsOfResultsWithoutLookingIntoTheirIds() {
        String id = CallIds.encode("call", List.of(new Part.Reasoning("x".repeat(900_000), SEAL)), null);
        ObjectNode request = Json.object().put("model", "m");
        for (int i = 0; i < 10; i++) {
            request.withArray("messages")
                    .addObject()
                    .put("role", "tool")
                    .put("tool_call_id", id)
                    .put("content", "18");
        }

        assertThat(translated(Dialect.CHAT, Dialect.MESSAGES, Json.bytes(request))
                        .findValuesAsText("tool_use_id"))
                .hasSize(10)
                .containsOnly("call");
    }

    @Test
    void joinsTurnsWithoutCopyingThemEachTime() {
        ModelRequest.Builder request = ModelRequest.of("m");
        List<Part> said = List.of(new Part.Text("x"));
        long before = allocated();

        for (int i = 0; i < MANY; i++) {
            request.turn(Turn.Role.USER, said);
        }
        ModelRequest built = request.turn(Turn.Role.ASSISTANT, said).build();

        assertThat(allocated() - before).isLessThan(100L * MANY);
        assertThat(built.turns()).extracting(Turn::role).containsExactly(Turn.Role.USER, Turn.Role.ASSISTANT);
        assertThat(built.turns().get(0).parts()).hasSize(MANY);
    }

    @Test
    void joinsReasoningWithoutCopyingItEachTime() {
        Seal seal = new Seal(Dialect.CHAT, "reasoning", "");
        List<Part> thoughts = new ArrayList<>(Collections.nCopies(MANY, new Part.Reasoning("x".repeat(20), seal)));
        ModelRequest request =
                ModelRequest.of("m").turn(Turn.Role.ASSISTANT, thoughts).build();
        long before = allocated();

        JsonNode sent = new ChatRequestWriter(request).write();

        assertThat(allocated() - before).isLessThan(1000L * MANY);
        assertThat(sent.at("/messages/0/reasoning").textValue()).hasSize(20 * MANY);
    }

    /** This limit only catches a machine that stands still: it is thousands of times the usual time. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void findsTheCallsOfManyResults(boolean named) {
        ObjectNode request = Json.object();
        ArrayNode contents = request.putArray("contents");
        ArrayNode model = contents.addObject().put("role", "model").putArray("parts");
        ArrayNode user = contents.addObject().put("role", "user").putArray("parts");
        for (int i = 0; i < MANY; i++) {
            ObjectNode call = model.addObject().putObject("functionCall");
            ObjectNode result = user.addObject().putObject("functionResponse");
            call.put("name", "f" + i % 7).put("id", "id" + i);
            int answers = MANY - 1 - i;
            result.put("name", "f" + answers % 7);
            if (!named) {
                result.put("id", "id" + answers);
            }
        }

        JsonNode sent = translated(Dialect.GEMINI, Dialect.GEMINI, Json.bytes(request));

        JsonNode results = sent.at("/contents/1/parts");
        assertThat(results).hasSize(MANY);
        for (int i = 0; i < MANY; i++) {
            assertThat(results.get(i).at("/functionResponse/id").textValue()).isEqualTo("id" + i);
        }
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void writesArgumentsResultsAndSchemasAsDeepAsTheyAreRead(Dialect upstream) {
        String deep = "{\"a\":".repeat(DEEP) + "1" + "}".repeat(DEEP);
        String deepest = "{\"a\":".repeat(1000) + "1" + "}".repeat(1000);
        ObjectNode request = Json.object().put("model", "m");
        ArrayNode messages = request.putArray("messages");
        messages.addObject()
                .put("role", "assistant")
                .withArray("tool_calls")
                .addObject()
                .put("id", "call_1")
                .putObject("function")
                .put("name", "f")
                .put("arguments", deepest);
        messages.addObject().put("role", "tool").put("tool_call_id", "call_1").put("content", deepest);
        String body = new String(Json.bytes(request), StandardCharsets.UTF_8);
        String tools =
                ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":" + deep + "}}]}";
        byte[] whole = (body.substring(0, body.length() - 1) + tools).getBytes(StandardCharsets.UTF_8);

        byte[] sent = Translation.of(Dialect.CHAT, upstream)
                .request(whole, Requests.path(Dialect.CHAT), null)
                .body();

        assertThat(new String(sent, StandardCharsets.UTF_8)).contains("{\"a\":".repeat(DEEP));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e99999999999", "-1e-99999999999", "1e2147483647", "1e-2147483648"})
    void refusesOrTranslatesNumbersOfAnySize(String number) {
        for (Dialect upstream : Recorded.dialects()) {
            for (String field : List.of("temperature", "max_tokens", "seed", "metadata")) {
                String body = "{\"model\":\"m\",\"messages\":[],\"" + field + "\":" + number
                        + ",\"tools\":[{\"type\":\"function\","
                        + "\"function\":{\"name\":\"f\",\"parameters\":{\"maximum\":" + number + "}}}]}";
                try {
                    translated(Dialect.CHAT, upstream, body.getBytes(StandardCharsets.UTF_8));
                } catch (TranslationException e) {
                    assertThat(e.getMessage()).isNotEmpty();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MAX_VALUE, Long.MAX_VALUE - 1, 24_576})
    void asksForMoreTokensThanAnyBudgetOfThinking(long budget) {
        String body = "{\"contents\":[],\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":" + budget + "}}}";

        JsonNode sent = translated(Dialect.GEMINI, Dialect.MESSAGES, body.getBytes(StandardCharsets.UTF_8));

        assertThat(sent.get("max_tokens").longValue())
                .isGreaterThan(sent.at("/thinking/budget_tokens").longValue());
        assertThat(sent.at("/thinking/budget_tokens").longValue()).isPositive();
    }

    /** This limit only catches a machine that stands still: it is thousands of times the usual time. */
    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void keepsManyInstructionsInTheirPlaces(Dialect upstream) {
        ObjectNode request = Json.object().put("model", "gpt-5");
        ArrayNode messages = request.putArray("messages");
        for (int i = 0; i < MANY; i++) {
            messages.addObject().put("role", "user").put("content", "said-" + i + "-");
            messages.addObject().put("role", "system").put("content", "bid-" + i + "-");
        }

        String sent = translated(Dialect.CHAT, upstream, Json.bytes(request)).toString();

        int at = 0;
        for (int i = 0; i < MANY; i++) {
            at = sent.indexOf("said-" + i + "-", at);
            assertThat(at).isPositive();
            at = sent.indexOf("bid-" + i + "-", at);
            assertThat(at).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void makesLongNamesAndIdsFitAndDropsManyTools(Dialect upstream) {
        String longName = "n".repeat(1024 * 1024);
        ObjectNode request = Json.object().put("model", "m");
        ArrayNode input = request.putArray("input");
        ArrayNode tools = request.putArray("tools");
        for (int i = 0; i < 8; i++) {
            input.addObject()
                    .put("type", "function_call")
                    .put("call_id", longName + i)
                    .put("namespace", longName)
                    .put("name", longName + i);
            input.addObject()
                    .put("type", "function_call_output")
                    .put("call_id", longName + i)
                    .put("output", "x");
        }
        for (int i = 0; i < MANY; i++) {
            tools.addObject().put("type", "hosted_" + i).put("x", 1);
        }

        TranslatedRequest sent =
                Translation.of(Dialect.RESPONSES, upstream).request(Json.bytes(request), "/v1/responses", null);

        assertThat(sent.dropped()).hasSize(Drops.MOST);
        JsonNode body = Json.parseObject(sent.body(), 0, sent.body().length);
        assertThat(body.findValuesAsText("name"))
                .isNotEmpty()
                .allSatisfy(name -> assertThat(name).hasSize(64));
    }

    /** Each hosted tool is compared with the functions, without a new list for each. */
    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void servesManyHostedToolsBesideManyFunctions(Dialect upstream) {
        ObjectNode request = Json.object().put("model", "m").put("max_tokens", 9);
        request.putArray("messages").addObject().put("role", "user").put("content", "Hi");
        ArrayNode tools = request.putArray("tools");
        for (int i = 0; i < MANY / 2; i++) {
            tools.addObject().put("name", "f" + i);
            tools.addObject().put("type", "web_search_20250305").put("name", "web_search");
        }
        byte[] body = Json.bytes(request);
        long before = allocated();

        TranslatedRequest sent = Translation.of(Dialect.MESSAGES, upstream).request(body, "/v1/messages", null);

        assertThat(allocated() - before).isLessThan(10_000L * MANY);
        assertThat(new String(sent.body(), StandardCharsets.UTF_8)).contains("\"f" + (MANY / 2 - 1) + "\"");
    }

    @Test
    void takesEachToolsetOnce() {
        ObjectNode request = Json.object().put("model", "m").put("max_tokens", 9);
        request.putArray("messages").addObject().put("role", "user").put("content", "Hi");
        ArrayNode tools = request.putArray("tools");
        for (int i = 0; i < MANY; i++) {
            tools.addObject().put("type", "browser_toolset_2" + i);
        }
        byte[] body = Json.bytes(request);
        long before = allocated();

        JsonNode sent = translated(Dialect.MESSAGES, Dialect.CHAT, body);

        assertThat(allocated() - before).isLessThan(10_000L * MANY);
        assertThat(sent.get("tools").findValuesAsText("name"))
                .contains("browser__find")
                .doesNotHaveDuplicates();
    }

    @Test
    void refusesANamespaceWhoseNameIsLongerThanItsFunctions() {
        ObjectNode request = Json.object().put("model", "m").put("input", "Hi");
        ObjectNode group = request.putArray("tools").addObject().put("type", "namespace");
        group.putArray("tools").addObject().put("type", "function").put("name", "f");

        group.put("name", "n".repeat(256));
        assertThat(translated(Dialect.RESPONSES, Dialect.CHAT, Json.bytes(request))
                        .get("tools"))
                .hasSize(1);
        group.put("name", "n".repeat(257));
        assertThat(catchThrowableOfType(
                                TranslationException.class,
                                () -> translated(Dialect.RESPONSES, Dialect.CHAT, Json.bytes(request)))
                        .param())
                .isEqualTo("tools[0].name");
    }

    /** A comparison of each result with each call would take minutes. */
    @Test
    void joinsManyLegacyCallsWithResultsOfOthers() {
        String same = "n".repeat(60);
        ObjectNode request = Json.object().put("model", "m");
        ArrayNode messages = request.putArray("messages");
        for (int i = 0; i < 5 * MANY; i++) {
            messages.addObject()
                    .put("role", "assistant")
                    .putObject("function_call")
                    .put("name", same + "a")
                    .put("arguments", "{}");
        }
        for (int i = 0; i < 5 * MANY; i++) {
            messages.addObject().put("role", "function").put("name", same + "b").put("content", "x");
        }
        messages.addObject().put("role", "function").put("name", same + "a").put("content", "y");

        byte[] body = Json.bytes(request);
        long begun = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();

        JsonNode sent = translated(Dialect.CHAT, Dialect.MESSAGES, body);

        assertThat(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begun)
                .isLessThan(TimeUnit.SECONDS.toNanos(20));
        assertThat(sent.findValuesAsText("tool_use_id")).containsExactly("call_" + (5 * MANY - 1));
    }

    private static ObjectNode calls(Dialect client, List<String> ids) {
        ObjectNode request = Json.object().put("model", "m");
        if (client == Dialect.RESPONSES) {
            ArrayNode input = request.putArray("input");
            ids.forEach(id -> input.addObject()
                    .put("type", "function_call")
                    .put("call_id", id)
                    .put("name", "f"));
            return request;
        }
        ObjectNode message = request.putArray("messages").addObject().put("role", "assistant");
        ArrayNode calls = message.putArray(client == Dialect.CHAT ? "tool_calls" : "content");
        for (String id : ids) {
            ObjectNode call = calls.addObject().put("id", id);
            if (client == Dialect.CHAT) {
                call.putObject("function").put("name", "f");
            } else {
                call.put("type", "tool_use").put("name", "f");
            }
        }
        return request;
    }

    private static JsonNode translated(Dialect client, Dialect upstream, byte[] body) {
        byte[] sent = Translation.of(client, upstream)
                .request(body, Requests.path(client), null)
                .body();
        return Json.parseObject(sent, 0, sent.length);
    }

    private static long allocated() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }
}
