package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The fragments of N calls, in any order and with any way to identify them, are the same N calls for every client. */
@Tag("slow")
class ParallelCallsTest {
    private static final int ROUNDS = 60;
    private static final List<String> TOOLS = List.of("get_weather", "get", "get_time", "lookup", "f");

    /** How a server says which call a fragment belongs to. */
    enum Style {
        INDEX_AND_FIRST_ID(true),
        INDEX_ALONE(true),
        ID_ALONE(true),
        ID_UNDER_ONE_INDEX(true),
        INDEX_AND_A_FRESH_ID_EACH(true),
        INDEX_AND_ONE_ID_FOR_ALL(true),
        NAME_EACH(true),
        NAME_LATE(true),
        NAME_IN_PIECES(true),
        ID_LATE(true),
        NOTHING(false),
        ONE_INDEX_ALONE(false),
        SHIFTED_INDEX(false),
        WHOLE_IN_ONE_CHUNK(false),
        LEGACY(false);

        final boolean interleaves;

        Style(boolean interleaves) {
            this.interleaves = interleaves;
        }
    }

    private record Call(String name, String arguments) {}

    static Stream<Arguments> styles() {
        return Stream.of(Style.values())
                .flatMap(style -> Recorded.dialects().stream().map(client -> Arguments.of(style, client)));
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("styles")
    void areTheSameCalls(Style style, Dialect client) {
        Random random = new Random(style.name().hashCode() * 31L + client.name().hashCode());
        for (int round = 0; round < ROUNDS; round++) {
            List<Call> calls = calls(random, style);
            boolean spoken = random.nextBoolean();
            List<byte[]> frames = new ArrayList<>();
            StringBuilder text = new StringBuilder();
            for (ArrayNode fragments : order(random, style, calls)) {
                ObjectNode delta = Json.object();
                if (style == Style.LEGACY) {
                    delta.set("function_call", fragments.get(0).get("function"));
                } else {
                    delta.set("tool_calls", fragments);
                }
                if (spoken && random.nextInt(3) == 0) {
                    delta.put("content", "t" + text.length());
                    text.append(delta.get("content").textValue());
                }
                frames.add(chunk(delta, null));
            }
            frames.add(chunk(Json.object(), random.nextBoolean() ? "stop" : "tool_calls"));
            frames.add("data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8));

            StreamTranslator translator = translator(Dialect.CHAT, client);
            ClientView view = ClientView.of(client, Recorded.translate(translator, frames));

            String what = "round " + round + ": " + calls;
            assertThat(view.error).as(what).isNull();
            assertThat(view.finish).as(what).isEqualTo(view.finishOf(StopReason.TOOL_CALLS));
            assertCallsAre(what, calls, view);
            assertThat(view.text).as(what).hasToString(text.toString());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHAT", "MESSAGES"})
    void noArgumentsAreLostUntold(Dialect client) {
        Random random = new Random(5);
        for (int round = 0; round < 2_000; round++) {
            List<byte[]> frames = new ArrayList<>();
            int sent = 0;
            for (int i = random.nextInt(8) + 1; i > 0; i--) {
                ObjectNode fragment = Json.object();
                if (random.nextBoolean()) {
                    fragment.put("index", random.nextInt(3));
                }
                if (random.nextBoolean()) {
                    fragment.put("id", "c" + random.nextInt(3));
                }
                ObjectNode function = fragment.putObject("function");
                if (random.nextBoolean()) {
                    function.put("name", TOOLS.get(random.nextInt(3)));
                }
                String arguments = List.of("", "{\"a", "\":", "1", "\"}\"").get(random.nextInt(5));
                function.put("arguments", arguments);
                sent += arguments.length();
                ObjectNode delta = Json.object();
                delta.putArray("tool_calls").add(fragment);
                frames.add(chunk(delta, i == 1 ? "tool_calls" : null));
            }
            frames.add("data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8));

            StreamTranslator translator = translator(Dialect.CHAT, client);
            ClientView view = ClientView.of(client, Recorded.translate(translator, frames));

            assertThat(translator.isOver()).isTrue();
            if (view.error == null) {
                int told = view.calls.stream()
                        .filter(call -> !call.arguments.toString().equals("{}"))
                        .mapToInt(call -> call.arguments.length())
                        .sum();
                assertThat(told).as("round " + round).isEqualTo(sent);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void ofResponsesMayBeOpenTogether(Dialect client) {
        Random random = new Random(client.name().hashCode());
        for (int round = 0; round < ROUNDS; round++) {
            List<Call> calls = calls(random, Style.INDEX_ALONE);
            boolean indexed = random.nextBoolean();
            boolean deltas = random.nextBoolean();
            List<List<ObjectNode>> events = new ArrayList<>();
            for (int i = 0; i < calls.size(); i++) {
                events.add(responsesEvents(random, i, calls.get(i), indexed, deltas));
            }
            List<byte[]> frames = new ArrayList<>();
            mixed(random, events).forEach(event -> frames.add(frame(event)));
            frames.add(frame(Json.object().put("type", "response.completed")));

            ClientView view = ClientView.of(client, Recorded.translate(translator(Dialect.RESPONSES, client), frames));

            assertThat(view.error).isNull();
            assertCallsAre("round " + round, calls, view);
        }
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void ofMessagesMayBeOpenTogether(Dialect client) {
        Random random = new Random(client.name().hashCode());
        for (int round = 0; round < ROUNDS; round++) {
            List<Call> calls = calls(random, Style.INDEX_ALONE);
            List<List<ObjectNode>> events = new ArrayList<>();
            for (int i = 0; i < calls.size(); i++) {
                events.add(messagesEvents(random, i, calls.get(i)));
            }
            List<byte[]> frames = new ArrayList<>();
            mixed(random, events).forEach(event -> frames.add(frame(event)));
            frames.add(frame(Json.object().put("type", "message_stop")));

            ClientView view = ClientView.of(client, Recorded.translate(translator(Dialect.MESSAGES, client), frames));

            assertThat(view.error).isNull();
            assertCallsAre("round " + round, calls, view);
        }
    }

    @Test
    void areWrittenForChatAsTheyCome() {
        StreamTranslator translator = translator(Dialect.CHAT, Dialect.CHAT);
        List<byte[]> frames = List.of(
                chunk(delta("{'index': 0, 'id': 'a', 'function': {'name': 'f', 'arguments': '{'}}"), null),
                chunk(delta("{'index': 1, 'id': 'b', 'function': {'name': 'f', 'arguments': '{'}}"), null),
                chunk(delta("{'index': 0, 'function': {'arguments': '}'}}"), null));

        String seen = Recorded.translate(translator, frames);

        assertThat(Recorded.frames(seen.getBytes(StandardCharsets.UTF_8))).hasSize(6);
        assertThat(translator.heldBytes()).isLessThan(4096);
    }

    @Test
    void waitOnlyBehindTheOneThatIsOpen() {
        StreamTranslator translator = translator(Dialect.CHAT, Dialect.MESSAGES);
        long none = translator.heldBytes();
        String first = Recorded.translate(
                translator,
                List.of(
                        chunk(
                                delta("{'index': 0, 'id': 'a', 'function': {'name': 'f', 'arguments': '{\\'x\\':'}}"),
                                null),
                        chunk(
                                delta("{'index': 1, 'id': 'b', 'function': {'name': 'f', 'arguments': '{\\'y\\':2'}}"),
                                null),
                        chunk(Json.object().put("content", "z".repeat(1000)), null)));
        long held = translator.heldBytes();
        String then = Recorded.translate(
                translator, List.of(chunk(delta("{'index': 0, 'function': {'arguments': '1}'}}"), null)));
        String last = Recorded.translate(
                translator, List.of(chunk(delta("{'index': 1, 'function': {'arguments': '}'}}"), null)));

        assertThat(first).contains("\"id\":\"a\"").doesNotContain("\"id\":\"b\"", "zzz");
        assertThat(then).contains("1}", "content_block_stop", "\"id\":\"b\"").doesNotContain("zzz");
        assertThat(last).contains("content_block_stop", "zzz");
        assertThat(held).isGreaterThan(none + 2 * 1000);
    }

    private static void assertCallsAre(String what, List<Call> calls, ClientView view) {
        assertThat(view.calls)
                .as(what)
                .extracting(call -> call.name + tree(call.arguments.toString()))
                .containsExactlyInAnyOrderElementsOf(calls.stream()
                        .map(call -> call.name() + tree(call.arguments()))
                        .toList());
        assertThat(view.calls).extracting(call -> call.id).doesNotHaveDuplicates();
    }

    private static Object tree(String json) {
        try {
            return ClientView.JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new AssertionError(json, e);
        }
    }

    private static StreamTranslator translator(Dialect upstream, Dialect client) {
        ModelRequest request = ModelRequest.of("m").build();
        return new StreamTranslator(
                UpstreamFormat.of(upstream).reader(Set.copyOf(TOOLS)), ClientFormat.of(client).stream(request));
    }

    /** Calls of one to four tools. If the style cannot separate two calls of one tool, each call is of another tool. */
    private static List<Call> calls(Random random, Style style) {
        List<Call> calls = new ArrayList<>();
        for (int i = random.nextInt(4) + 1; i > 0; i--) {
            ObjectNode arguments = Json.object();
            for (int field = random.nextInt(3) + 1; field > 0; field--) {
                arguments.put(
                        "k" + field,
                        List.of("Oslo", "{\"a\":[", "}\\\"", "ü😀", "").get(random.nextInt(5)));
            }
            if (random.nextInt(3) == 0) {
                arguments
                        .putObject("inner")
                        .putArray("list")
                        .add(random.nextInt())
                        .add("}");
            }
            boolean none = random.nextInt(6) == 0 && (style == Style.WHOLE_IN_ONE_CHUNK || style == Style.ID_ALONE);
            calls.add(new Call(TOOLS.get(random.nextInt(TOOLS.size())), none ? "{}" : arguments.toString()));
        }
        return calls;
    }

    /** The chunks' fragments. */
    private static List<ArrayNode> order(Random random, Style style, List<Call> calls) {
        List<List<ObjectNode>> all = new ArrayList<>();
        for (int i = 0; i < calls.size(); i++) {
            all.add(fragments(random, style, i, calls.get(i)));
        }
        List<ArrayNode> chunks = new ArrayList<>();
        if (style == Style.WHOLE_IN_ONE_CHUNK) {
            ArrayNode chunk = Json.object().putArray("all");
            all.forEach(fragments -> chunk.add(fragments.get(0)));
            chunks.add(chunk);
            return chunks;
        }
        List<ObjectNode> mixed = new ArrayList<>();
        if (style.interleaves) {
            mixed.addAll(mixed(random, all));
        } else {
            all.forEach(mixed::addAll);
        }
        for (ObjectNode fragment : mixed) {
            ArrayNode chunk = Json.object().putArray("one");
            chunk.add(fragment);
            chunks.add(chunk);
        }
        return chunks;
    }

    private static List<ObjectNode> fragments(Random random, Style style, int number, Call call) {
        List<String> pieces = style == Style.WHOLE_IN_ONE_CHUNK ? List.of(call.arguments()) : pieces(random, call);
        List<ObjectNode> fragments = new ArrayList<>();
        for (int i = 0; i < pieces.size(); i++) {
            ObjectNode fragment = Json.object();
            putIdentity(fragment, style, number, i);
            ObjectNode function = fragment.putObject("function");
            boolean named = switch (style) {
                case NAME_LATE -> i == pieces.size() - 1;
                case NAME_EACH -> true;
                default -> i == 0;
            };
            if (style == Style.NAME_IN_PIECES && i == 0 && call.name().startsWith("get_")) {
                fragments.add(fragment.deepCopy());
                fragments.get(0).putObject("function").put("name", "get_").put("arguments", "");
                function.put("name", call.name().substring("get_".length()));
            } else if (named) {
                function.put("name", call.name());
            }
            fragments.add(fragment);
            function.put("arguments", pieces.get(i));
        }
        return fragments;
    }

    private static void putIdentity(ObjectNode fragment, Style style, int number, int piece) {
        switch (style) {
            case INDEX_AND_FIRST_ID, NAME_EACH, NAME_LATE, NAME_IN_PIECES -> {
                fragment.put("index", number);
                if (piece == 0) {
                    fragment.put("id", "call_" + number);
                }
            }
            case ID_LATE -> {
                fragment.put("index", number);
                if (piece > 0) {
                    fragment.put("id", "call_" + number);
                }
            }
            case INDEX_ALONE -> fragment.put("index", number);
            case ID_ALONE -> fragment.put("id", "call_" + number);
            case ID_UNDER_ONE_INDEX -> fragment.put("index", 0).put("id", "call_" + number);
            case INDEX_AND_A_FRESH_ID_EACH -> fragment.put("index", number).put("id", number + "_" + piece);
            case INDEX_AND_ONE_ID_FOR_ALL -> fragment.put("index", number).put("id", "call");
            case ONE_INDEX_ALONE -> fragment.put("index", 0).putNull("id");
            case SHIFTED_INDEX -> {
                fragment.put("index", piece == 0 ? 2 * number : 2 * number + 1);
                if (piece == 0) {
                    fragment.put("id", "call_" + number);
                }
            }
            case NOTHING, WHOLE_IN_ONE_CHUNK, LEGACY -> {
                // Nothing identifies them.
            }
        }
    }

    /** First nothing, or the beginning: calls begin with a brace. */
    private static List<String> pieces(Random random, Call call) {
        List<String> pieces = new ArrayList<>();
        String rest = call.arguments();
        if (random.nextBoolean()) {
            pieces.add("");
        }
        while (!rest.isEmpty()) {
            int end = random.nextInt(3) == 0 ? rest.length() : 1 + random.nextInt(rest.length());
            pieces.add(rest.substring(0, end));
            rest = rest.substring(end);
        }
        return pieces;
    }

    /** All of them, each list in its order. */
    private static List<ObjectNode> mixed(Random random, List<List<ObjectNode>> lists) {
        List<List<ObjectNode>> left = new ArrayList<>();
        lists.forEach(list -> left.add(new ArrayList<>(list)));
        List<ObjectNode> mixed = new ArrayList<>();
        while (!left.isEmpty()) {
            List<ObjectNode> list = left.get(random.nextInt(left.size()));
            mixed.add(list.remove(0));
            left.removeIf(List::isEmpty);
        }
        return mixed;
    }

    private static List<ObjectNode> responsesEvents(
            Random random, int number, Call call, boolean indexed, boolean deltas) {
        List<ObjectNode> events = new ArrayList<>();
        ObjectNode item = Json.object()
                .put("type", "function_call")
                .put("id", "fc_" + number)
                .put("call_id", "call_" + number)
                .put("name", call.name())
                .put("arguments", "");
        ObjectNode added = Json.object().put("type", "response.output_item.added");
        added.set("item", item);
        events.add(added);
        for (String piece : deltas ? pieces(random, call) : List.<String>of()) {
            events.add(Json.object()
                    .put("type", "response.function_call_arguments.delta")
                    .put("item_id", "fc_" + number)
                    .put("delta", piece));
        }
        events.add(Json.object()
                .put("type", "response.function_call_arguments.done")
                .put("item_id", "fc_" + number)
                .put("arguments", call.arguments()));
        if (random.nextBoolean()) {
            ObjectNode done = Json.object().put("type", "response.output_item.done");
            done.set("item", item.deepCopy().put("arguments", call.arguments()));
            events.add(done);
        }
        if (indexed) {
            events.forEach(event -> event.put("output_index", number));
        }
        return events;
    }

    private static List<ObjectNode> messagesEvents(Random random, int number, Call call) {
        List<ObjectNode> events = new ArrayList<>();
        ObjectNode start = Json.object().put("type", "content_block_start").put("index", number);
        ObjectNode block = start.putObject("content_block");
        block.put("type", "tool_use")
                .put("id", "toolu_" + number)
                .put("name", call.name())
                .putObject("input");
        events.add(start);
        for (String piece : pieces(random, call)) {
            ObjectNode event = Json.object().put("type", "content_block_delta").put("index", number);
            event.putObject("delta").put("type", "input_json_delta").put("partial_json", piece);
            events.add(event);
        }
        events.add(Json.object().put("type", "content_block_stop").put("index", number));
        return events;
    }

    private static ObjectNode delta(String call) {
        ObjectNode delta = Json.object();
        delta.putArray("tool_calls")
                .add(Json.parseObject(call.replace("\\'", "\\\"").replace('\'', '"')));
        return delta;
    }

    private static byte[] chunk(ObjectNode delta, String finishReason) {
        ObjectNode chunk = Json.object();
        ObjectNode choice = chunk.putArray("choices").addObject().put("index", 0);
        choice.set("delta", delta);
        choice.put("finish_reason", finishReason);
        return frame(chunk);
    }

    /** A character may be cut in two. Only an escape can carry its half. */
    private static byte[] frame(ObjectNode json) {
        StringBuilder ascii = new StringBuilder("data: ");
        json.toString().chars().forEach(c -> ascii.append(c < 128 ? String.valueOf((char) c) : "\\u%04x".formatted(c)));
        return ascii.append("\n\n").toString().getBytes(StandardCharsets.US_ASCII);
    }
}
