package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class StreamTranslatorTest {
    private final ByteBuf out = Unpooled.buffer();

    @AfterEach
    void release() {
        out.release();
    }

    @ParameterizedTest
    @EnumSource(names = {"CHAT", "MESSAGES"})
    void writesEachDeltaAtOnce(Dialect upstream) {
        Dialect client = upstream == Dialect.CHAT ? Dialect.MESSAGES : Dialect.CHAT;
        StreamTranslator translator = Recorded.streaming(client, upstream).stream();
        byte[] stream = Recorded.resource("/golden/streams/" + upstream.name().toLowerCase(Locale.ROOT) + "-text.sse");

        int written = 0;
        for (byte[] frame : Recorded.frames(stream)) {
            String text = new String(frame, StandardCharsets.UTF_8);
            feed(translator, text);
            if (text.contains("Grüß")) {
                written = out.writerIndex();
                assertThat(out.toString(StandardCharsets.UTF_8))
                        .contains("Grüß")
                        .endsWith("\n\n");
            }
        }
        assertThat(written).isPositive();
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void readsAStreamThatBeginsWithAByteOrderMark(Dialect client) {
        StreamTranslator translator = Recorded.streaming(client, Dialect.CHAT).stream();
        feed(translator, "\uFEFFdata: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n");

        assertThat(out.toString(StandardCharsets.UTF_8)).contains("Hi");
    }

    /** An upstream that was declared wrong would else seem to answer nothing. */
    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void saysAtOnceThatAStreamIsOfAnotherDialect(Dialect spoken) {
        List<byte[]> frames = Recorded.frames(
                Recorded.resource("/golden/streams/" + spoken.name().toLowerCase(Locale.ROOT) + "-text.sse"));
        for (Dialect declared : Recorded.dialects()) {
            for (Dialect client : Recorded.dialects()) {
                StreamTranslator translator = Recorded.streaming(client, declared).stream();
                out.clear();
                frames.forEach(frame -> feed(translator, new String(frame, StandardCharsets.UTF_8)));
                translator.finish(out);
                assertThat(translator.failed()).isEqualTo(declared != spoken);
                assertThat(out.toString(StandardCharsets.UTF_8)
                                .contains("of the dialect " + spoken.name().toLowerCase(Locale.ROOT)))
                        .isEqualTo(declared != spoken);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHAT", "MESSAGES", "RESPONSES"})
    void keepsTheIdAndModelOfAStreamThatBeginsWithItsUsage(Dialect client) {
        StreamTranslator translator = Recorded.streaming(client, Dialect.CHAT).stream();
        String head = "data: {\"id\":\"id7\",\"model\":\"model7\",\"choices\":[";
        feed(translator, head + "],\"usage\":{\"prompt_tokens\":9}}\n\n");
        feed(translator, head + "{\"delta\":{\"content\":\"Hi\"}}]}\n\n");

        assertThat(out.toString(StandardCharsets.UTF_8)).contains("id7", "model7", "Hi");
    }

    @ParameterizedTest
    @EnumSource(names = {"CHAT", "MESSAGES"})
    void stopsWhereItIs(Dialect client) {
        StreamTranslator translator = Recorded.streaming(client, Dialect.MESSAGES).stream();
        List<byte[]> frames = Recorded.frames(Recorded.resource("/golden/streams/messages-tools.sse"));
        frames.subList(0, 12).forEach(frame -> feed(translator, new String(frame, StandardCharsets.UTF_8)));

        translator.stop(out);
        frames.subList(12, frames.size()).forEach(frame -> feed(translator, new String(frame, StandardCharsets.UTF_8)));
        translator.finish(out);

        ClientView view = ClientView.of(client, out.toString(StandardCharsets.UTF_8));
        assertThat(view.finish).isEqualTo(view.finishOf(StopReason.STOPPED));
        assertThat(view.ended).isTrue();
        assertThat(translator.isOver()).isTrue();
        assertThat(translator.failed()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(names = {"CHAT", "MESSAGES"})
    void failsInTheClientsDialect(Dialect client) {
        StreamTranslator translator = Recorded.streaming(client, Dialect.CHAT).stream();
        feed(translator, chunk("{\"content\": \"Half\"}"));
        assertThat(translator.failed()).isFalse();

        translator.fail(RelayError.UPSTREAM_TRUNCATED, "after 1 output frames", out);
        assertThat(translator.failed()).isTrue();
        translator.fail(RelayError.UPSTREAM_RESET, "twice", out);
        translator.finish(out);

        ClientView view = ClientView.of(client, out.toString(StandardCharsets.UTF_8));
        assertThat(view.error).contains("after 1 output frames");
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("upstream_truncated");
        assertThat(view.finish).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data: {\"error\": {\"message\": \"it broke\", \"code\": 503}}\n\n",
                "event: error\ndata: {\"error\": \"it broke\"}\n\n",
                "error: {\"code\": 500, \"message\": \"it broke\"}\n\n",
                "{\"error\": {\n\"message\": \"it broke\"}}\n\n",
                "data: {\"choices\": [], \"error\": {\"message\": \"it broke\"}}\r\n\r\n",
            })
    void tellsAnErrorInWhateverFormItComes(String frame) {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.CHAT).stream();

        feed(translator, frame);

        assertThat(ClientView.of(Dialect.CHAT, out.toString(StandardCharsets.UTF_8)).error)
                .isEqualTo("it broke");
        assertThat(translator.isOver()).isTrue();
        assertThat(translator.failed()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {": ping\n\n", "event: ping\ndata: {\"type\": \"ping\"}\n\n", "\n", "data: \n\n", "id: 4\n\n"})
    void writesNothingForAPing(String frame) {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.MESSAGES).stream();

        feed(translator, frame);

        assertThat(out.isReadable()).isFalse();
        assertThat(translator.isOver()).isFalse();
    }

    @Test
    void joinsACharacterThatWasCut() {
        StreamTranslator translator = Recorded.streaming(Dialect.MESSAGES, Dialect.CHAT).stream();
        feed(translator, chunk("{\"content\": \"\\ud83d\"}"));
        feed(translator, chunk("{\"content\": \"\\ude00\"}"));

        assertThat(ClientView.of(Dialect.MESSAGES, out.toString(StandardCharsets.UTF_8)).text)
                .hasToString("😀");
    }

    @Test
    void readsCallsThatShareAnIndex() {
        StreamTranslator translator = Recorded.streaming(Dialect.MESSAGES, Dialect.CHAT).stream();
        feed(translator, chunk(call("a", "{\\\"x\\\":1}")));
        feed(translator, chunk(call("b", "{\\\"x\\\":2}")));
        feed(translator, "data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n");
        translator.finish(out);

        ClientView view = ClientView.of(Dialect.MESSAGES, out.toString(StandardCharsets.UTF_8));
        assertThat(view.calls).extracting(call -> call.id + call.arguments).containsExactly("a{\"x\":1}", "b{\"x\":2}");
        assertThat(view.finish).isEqualTo("tool_use");
    }

    @Test
    void readsOneCallWithoutAList() {
        StreamTranslator translator = Recorded.streaming(Dialect.MESSAGES, Dialect.CHAT).stream();
        feed(translator, chunk(call("a", "{}").replace("[", "").replace("]", "")));
        feed(translator, "data: [DONE]\n\n");

        ClientView view = ClientView.of(Dialect.MESSAGES, out.toString(StandardCharsets.UTF_8));
        assertThat(view.calls).extracting(call -> call.id + call.arguments).containsExactly("a{}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "none", ""})
    void takesNoWordForAnEndThatSaysNone(String word) {
        StreamTranslator translator = Recorded.streaming(Dialect.MESSAGES, Dialect.CHAT).stream();
        feed(
                translator,
                "data: {\"choices\": [{\"delta\": {\"content\": \"Hi\"}, \"finish_reason\": \"" + word + "\"}]}\n\n");
        translator.finish(out);

        assertThat(translator.isOver()).isFalse();
    }

    @Test
    void readsACallOfResponsesThatOnlyItsArgumentsName() {
        StreamTranslator translator = Recorded.streaming(Dialect.MESSAGES, Dialect.RESPONSES).stream();
        feed(
                translator,
                "data: {\"type\": \"response.function_call_arguments.done\", \"item_id\": \"fc_1\", \"name\": \"f\","
                        + " \"arguments\": \"{\\\"x\\\":1}\"}\n\n");
        feed(translator, "data: {\"type\": \"response.completed\", \"response\": {\"output\": []}}\n\n");

        ClientView view = ClientView.of(Dialect.MESSAGES, out.toString(StandardCharsets.UTF_8));
        assertThat(view.error).isNull();
        assertThat(view.calls).extracting(call -> call.name + call.arguments).containsExactly("f{\"x\":1}");
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void tellsWhatItHolds(Dialect client) {
        StreamTranslator translator = Recorded.streaming(client, Dialect.CHAT).stream();
        feed(translator, chunk(call("a", "{\\\"x\\\": \\\"")));
        feed(translator, chunk("{\"content\": \"z\"}"));
        long before = translator.heldBytes();
        for (int i = 0; i < 100; i++) {
            feed(translator, chunk("{\"content\": \"" + "z".repeat(100) + "\"}"));
        }

        boolean holds = client != Dialect.CHAT;
        assertThat(translator.heldBytes() - before).isBetween(holds ? 10_000L : 0, holds ? 40_000L : 2_000L);
    }

    @Test
    void textDoesNotBreakACall() {
        StreamTranslator translator = Recorded.streaming(Dialect.MESSAGES, Dialect.CHAT).stream();
        feed(translator, chunk(call("a", "{")));
        feed(translator, chunk("{\"content\": \"Now\"}"));
        feed(translator, chunk("{\"reasoning_content\": \"Hm\"}"));
        feed(translator, chunk(call("a", "}")));
        feed(translator, "data: [DONE]\n\n");

        ClientView view = ClientView.of(Dialect.MESSAGES, out.toString(StandardCharsets.UTF_8));
        assertThat(view.calls).extracting(call -> call.id + call.arguments).containsExactly("a{}");
        assertThat(view.text).hasToString("Now");
        assertThat(view.reasoning).hasToString("Hm");
        assertThat(view.finish).isEqualTo("tool_use");
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void failsWhereArgumentsBelongToNoCall(Dialect client) {
        StreamTranslator translator = Recorded.streaming(client, Dialect.CHAT).stream();
        feed(
                translator,
                chunk("{\"tool_calls\": [{\"index\": 0, \"id\": \"a\", \"function\": {\"arguments\": \"{}\"}}]}"));
        assertThat(translator.isOver()).isFalse();
        feed(translator, "data: [DONE]\n\n");

        assertThat(ClientView.of(client, out.toString(StandardCharsets.UTF_8)).error)
                .contains("arguments that belong to no tool call");
    }

    @Test
    void failsWhereArgumentsComeForACallThatIsOver() {
        StreamTranslator translator = Recorded.streaming(Dialect.MESSAGES, Dialect.CHAT).stream();
        feed(translator, chunk(call("a", "{\\\"x\\\":1}")));
        feed(translator, chunk("{\"content\": \"Now\"}"));
        feed(translator, chunk(call("a", "}")));

        assertThat(ClientView.of(Dialect.MESSAGES, out.toString(StandardCharsets.UTF_8)).error)
                .contains("tool call 0");
    }

    @Test
    void keepsUsageThatNobodyAskedFor() {
        Translation translation = Translation.of(Dialect.CHAT, Dialect.CHAT);
        translation.request(
                "{\"model\": \"m\", \"messages\": [], \"stream\": true}".getBytes(StandardCharsets.UTF_8),
                Requests.path(Dialect.CHAT),
                "other");
        StreamTranslator translator = translation.stream();
        feed(translator, chunk("{\"content\": \"Hi\"}"));
        feed(translator, "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 3, \"completion_tokens\": 1}}\n\n");
        feed(translator, "data: [DONE]\n\n");

        assertThat(out.toString(StandardCharsets.UTF_8)).doesNotContain("usage").contains("\"model\":\"other\"");
        assertThat(translator.usage().input()).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void failsAnswersThatNobodyCanKeep(Dialect client) {
        StreamTranslator translator = Recorded.streaming(client, Dialect.CHAT).stream();
        String piece = chunk("{\"content\": \"" + "x".repeat(AnswerGrammar.MAX_CHARS / 8) + "\"}");

        for (int i = 0; i < 8; i++) {
            out.clear();
            feed(translator, piece);
        }
        assertThat(translator.isOver()).isFalse();
        out.clear();
        feed(translator, piece);

        assertThat(translator.isOver()).isTrue();
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("more than " + AnswerGrammar.MAX_CHARS + " characters");
    }

    @Test
    void tellsCallsThatOnlyTheLastEventHolds() {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.RESPONSES).stream();
        feed(
                translator,
                "data: {\"type\": \"response.output_text.delta\", \"output_index\": 0, \"delta\": \"Hi\"}\n\n");
        feed(
                translator,
                "data: {\"type\": \"response.output_item.added\", \"output_index\": 2, \"item\": " + item("c2", "")
                        + "}\n\n");
        feed(translator, completed(item("c1", "{\\\"x\\\":1}"), item("c2", "{\\\"x\\\":2}")));

        ClientView view = ClientView.of(Dialect.CHAT, out.toString(StandardCharsets.UTF_8));
        assertThat(view.text).hasToString("Hi");
        assertThat(view.calls)
                .extracting(call -> call.id + call.arguments)
                .containsExactly("c2{\"x\":2}", "c1{\"x\":1}");
        assertThat(view.finish).isEqualTo("tool_calls");
    }

    @Test
    void tellsArgumentsThatOnlyTheLastEventHolds() {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.RESPONSES).stream();
        feed(
                translator,
                "data: {\"type\": \"response.output_item.added\", \"output_index\": 1, \"item\": " + item("c1", "")
                        + "}\n\n");
        feed(translator, completed(item("c1", "{\\\"x\\\":1}")));

        ClientView view = ClientView.of(Dialect.CHAT, out.toString(StandardCharsets.UTF_8));
        assertThat(view.text).hasToString("Hi");
        assertThat(view.calls).extracting(call -> call.id + call.arguments).containsExactly("c1{\"x\":1}");
    }

    @Test
    void failsWhereANumberIsNone() {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.CHAT).stream();

        feed(translator, "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 1e99999999999}}\n\n");

        assertThat(translator.failed()).isTrue();
    }

    @Test
    void tellsNothingTwiceWhereItemsHaveNoIndex() {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.RESPONSES).stream();
        feed(translator, "data: {\"type\": \"response.output_item.added\", \"item\": " + item("c1", "{}") + "}\n\n");
        feed(translator, "data: {\"type\": \"response.output_item.done\", \"item\": " + item("c1", "{}") + "}\n\n");
        feed(translator, "data: {\"type\": \"response.output_text.delta\", \"delta\": \"Hi\"}\n\n");
        feed(translator, completed(item("c1", "{}")).replace("\"output\": [", "\"output\": [{\"type\": \"other\"}, "));

        ClientView view = ClientView.of(Dialect.CHAT, out.toString(StandardCharsets.UTF_8));
        assertThat(view.text).hasToString("Hi");
        assertThat(view.calls).extracting(call -> call.id + call.arguments).containsExactly("c1{}");
        assertThat(translator.failed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void tellsArgumentsOnceWhereTheBlockBeganWithThem(boolean deltas) {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.MESSAGES).stream();
        feed(translator, "data: {\"type\": \"message_start\", \"message\": {\"id\": \"m1\"}}\n\n");
        for (int i = 0; i < 2; i++) {
            feed(
                    translator,
                    "data: {\"type\": \"content_block_start\", \"index\": " + i + ", \"content_block\":"
                            + " {\"type\": \"tool_use\", \"id\": \"t" + i + "\", \"name\": \"f\", \"input\": {\"a\": "
                            + i + "}}}\n\n");
            for (String json : deltas ? List.of("", "{\\\"a\\\":", i + "}") : List.of("")) {
                feed(
                        translator,
                        "data: {\"type\": \"content_block_delta\", \"index\": " + i + ", \"delta\":"
                                + " {\"type\": \"input_json_delta\", \"partial_json\": \"" + json + "\"}}\n\n");
            }
        }
        feed(translator, "data: {\"type\": \"message_delta\", \"delta\": {\"stop_reason\": \"tool_use\"}}\n\n");
        feed(translator, "data: {\"type\": \"message_stop\"}\n\n");

        ClientView view = ClientView.of(Dialect.CHAT, out.toString(StandardCharsets.UTF_8));
        assertThat(view.calls)
                .extracting(call -> call.id + call.arguments)
                .containsExactly("t0{\"a\":0}", "t1{\"a\":1}");
        assertThat(translator.failed()).isFalse();
    }

    private static String item(String callId, String arguments) {
        return "{\"type\": \"function_call\", \"call_id\": \"" + callId + "\", \"name\": \"f\", \"arguments\": \""
                + arguments + "\"}";
    }

    /** The last event of Responses: a message that says "Hi", and these items. */
    private static String completed(String... items) {
        return "data: {\"type\": \"response.completed\", \"response\": {\"id\": \"r\", \"status\": \"completed\","
                + " \"output\": [{\"type\": \"message\", \"content\": [{\"type\": \"output_text\", \"text\": \"Hi\"}]}, "
                + String.join(", ", items) + "]}}\n\n";
    }

    private static String chunk(String delta) {
        return "data: {\"choices\": [{\"index\": 0, \"delta\": " + delta + "}]}\n\n";
    }

    private static String call(String id, String arguments) {
        return "{\"tool_calls\": [{\"index\": 0, \"id\": \"" + id
                + "\", \"function\": {\"name\": \"f\", \"arguments\": \"" + arguments + "\"}}]}";
    }

    private void feed(StreamTranslator translator, String frames) {
        for (byte[] frame : Recorded.frames(frames.getBytes(StandardCharsets.UTF_8))) {
            translator.frame(Unpooled.wrappedBuffer(frame), 0, frame.length, out);
        }
    }
}
