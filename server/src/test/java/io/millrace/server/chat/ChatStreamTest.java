package io.millrace.server.chat;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.sse.SseEvent;
import io.millrace.codec.text.TextUnit;
import io.millrace.codec.translate.ModelError;
import io.millrace.codec.translate.StopReason;
import io.millrace.codec.translate.TokenCounts;
import io.millrace.server.test.Events;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ChatStreamTest {
    private static final String TEXT =
            "Rivers run.\n\n- one\r\n- two\r- \ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67 three\r\n\r\n"
                    + "```\ncode  \n```\nEnd of 3.14.\r";

    private final ByteBuf out = Unpooled.buffer();
    private long nowNs;

    @ParameterizedTest
    @EnumSource(TextUnit.class)
    void givesExactlyTheTextWhateverTheUnitAndTheCuts(TextUnit unit) {
        String expected = TEXT.replace("\r\n", "\n").replace('\r', '\n');
        for (int length = 1; length <= TEXT.length(); length++) {
            out.clear();
            ChatStream stream = stream(ChatForm.SSE, unit, false);
            for (int at = 0; at < TEXT.length(); at += length) {
                stream.text(TEXT.substring(at, Math.min(TEXT.length(), at + length)));
            }
            stream.end();
            List<SseEvent> events = Events.of(written());
            assertThat(events.remove(events.size() - 1).data()).isEqualTo("[DONE]");
            assertThat(text(events)).isEqualTo(expected);
        }
    }

    @Test
    void writesOneDataLineForEachLine() {
        ChatStream stream = stream(ChatForm.SSE, TextUnit.PARAGRAPH, false);
        stream.text("a\n b\n\nc");
        stream.end();
        assertThat(written()).isEqualTo("data: a\ndata:  b\ndata: \ndata: \n\ndata: c\n\ndata: [DONE]\n\n");
    }

    @Test
    void writesJsonEventsWithIndexTimeUsageAndReason() {
        ChatStream stream = stream(ChatForm.JSON, TextUnit.TOKEN, false);
        stream.start("id", "m-1", 7);
        nowNs = TimeUnit.MILLISECONDS.toNanos(250);
        stream.reasoning("hm");
        stream.text("a\r\n");
        nowNs = TimeUnit.MILLISECONDS.toNanos(900);
        stream.text("b ");
        stream.usage(new TokenCounts(5, -1, -1, 1, -1));
        stream.usage(new TokenCounts(-1, 2, -1, 3, 0));
        stream.stop(StopReason.LENGTH, null);
        stream.end();
        assertThat(written())
                .isEqualTo("event: delta\ndata: {\"index\":0,\"text\":\"a\\r\\n\",\"ttft_ms\":250}\n\n"
                        + "event: delta\ndata: {\"index\":1,\"text\":\"b \"}\n\n"
                        + "event: usage\ndata: {\"input_tokens\":5,\"output_tokens\":3,\"cached_input_tokens\":2,"
                        + "\"reasoning_tokens\":0}\n\n"
                        + "event: stop\ndata: {\"reason\":\"length\",\"model\":\"m-1\",\"ttft_ms\":250}\n\n");
    }

    @Test
    void writesReasoningAndToolCallsIfAsked() {
        var stream =
                new ChatStream(ChatForm.JSON, TextUnit.TOKEN, true, null, new ChatTimes(() -> nowNs, 0, 1_000_000));
        stream.to(out);
        stream.reasoning("hm");
        stream.reasoningEnd(null);
        nowNs = 2_345_678;
        stream.text("a");
        nowNs = 4_000_000;
        stream.text("b");
        stream.toolCall(0, "c1", "get_weather", null);
        stream.arguments(0, "{\"city\":");
        stream.arguments(0, "\"Paris\"}");
        stream.toolCallEnd(0);
        stream.stop(StopReason.TOOL_CALLS, null);
        stream.end();
        assertThat(written()).isEqualTo("""
                        event: reasoning
                        data: {"text":"hm"}

                        event: delta
                        data: {"index":0,"text":"a","ttft_ms":2,"at_ms":2.345,"attempt_ms":1.0}

                        event: delta
                        data: {"index":1,"text":"b","at_ms":4.0}

                        event: tool_call
                        data: {"index":0,"id":"c1","name":"get_weather"}

                        event: tool_call
                        data: {"index":0,"arguments":"{\\"city\\":"}

                        event: tool_call
                        data: {"index":0,"arguments":"\\"Paris\\"}"}

                        event: stop
                        data: {"reason":"tool_calls","model":null,"ttft_ms":2}

                        """);
    }

    @Test
    void keepsTheOrderOfThePartsWhateverTheUnit() {
        var stream = new ChatStream(ChatForm.JSON, TextUnit.SENTENCE, true, null, new ChatTimes(() -> nowNs, 0, 0));
        stream.to(out);
        stream.text("First, I look. It is");
        nowNs = 2_000_000;
        stream.reasoning("hm");
        stream.text("Then I ask");
        stream.toolCall(0, "c1", "get_weather", null);
        stream.arguments(0, "{}");
        stream.text("Done. Good");
        stream.end();
        assertThat(Events.of(written()).stream()
                        .map(event -> event.data().replaceAll(",\"(ttft|at|attempt)_ms.*", "}")))
                .containsExactly(
                        "{\"index\":0,\"text\":\"First, I look. \"}",
                        "{\"index\":1,\"text\":\"It is\"}",
                        "{\"text\":\"hm\"}",
                        "{\"index\":2,\"text\":\"Then I ask\"}",
                        "{\"index\":0,\"id\":\"c1\",\"name\":\"get_weather\"}",
                        "{\"index\":0,\"arguments\":\"{}\"}",
                        "{\"index\":3,\"text\":\"Done. \"}",
                        "{\"index\":4,\"text\":\"Good\"}",
                        "{\"reason\":null,\"model\":null}");
    }

    @Test
    void givesAnEventSourceIdsAnIntervalAndAnEnd() {
        ChatStream stream = stream(ChatForm.SSE, TextUnit.TOKEN, true);
        stream.text("a ");
        stream.text("b ");
        stream.stop(StopReason.END, null);
        stream.end();
        assertThat(written()).isEqualTo("""
                        retry: 1000
                        id: 1
                        data: a\s

                        id: 2
                        data: b\s

                        event: done
                        id: 3
                        data: {"reason":"stop","model":null,"ttft_ms":0}

                        id: 4
                        data: [DONE]

                        """);
    }

    @Test
    void endsAnEventSourceThatGotNoTextAsWell() {
        ChatStream stream = stream(ChatForm.JSON, TextUnit.WORD, true);
        stream.stop(StopReason.CONTENT_FILTER, null);
        stream.end();
        assertThat(written()).isEqualTo("""
                        retry: 1000
                        event: stop
                        id: 1
                        data: {"reason":"content_filter","model":null}

                        event: done
                        id: 2
                        data: {"reason":"content_filter","model":null}

                        """);
    }

    @Test
    void writesBareText() {
        ChatStream stream = stream(ChatForm.TEXT, TextUnit.SENTENCE, false);
        stream.text("One.\r\nTw");
        assertThat(written()).isEqualTo("One.\r\n");
        stream.text("o");
        stream.end();
        assertThat(written()).isEqualTo("One.\r\nTwo");
    }

    @Test
    void givesWhatItHoldsBeforeAnErrorAndNothingBehindIt() {
        ChatStream stream = stream(ChatForm.SSE, TextUnit.SENTENCE, true);
        stream.text("Half a sent");
        stream.error(new ModelError(502, "upstream_reset", "It broke."));
        assertThat(written())
                .startsWith("retry: 1000\nid: 1\ndata: Half a sent\n\nevent: error\nid: 2\ndata: {\"error\":{")
                .contains("\"message\":\"It broke.\"", "\"code\":\"upstream_reset\"")
                .endsWith("}}\n\n")
                .doesNotContain("[DONE]", "done");
    }

    @Test
    void holdsNothingForLongerThanTheUnitMay() {
        ChatStream stream = stream(ChatForm.SSE, TextUnit.SENTENCE, false);
        stream.text("A long sentence with");
        nowNs = TextUnit.SENTENCE.defaultLimits().maxNs() - 1;
        stream.onTime(nowNs);
        assertThat(out.isReadable()).isFalse();
        stream.onTime(++nowNs);
        assertThat(written()).isEqualTo("data: A long sentence \n\n");
        stream.text("out an end");
        stream.end();
        assertThat(text(Events.of(written()).subList(0, 2))).isEqualTo("A long sentence without an end");
    }

    @Test
    void makesLineFeedsOfACrlfThatComesInTwoPieces() {
        var lineFeeds = new LineFeeds();
        assertThat(lineFeeds.of("a\r")
                        + lineFeeds.of("\nb")
                        + lineFeeds.of("")
                        + lineFeeds.of("\r")
                        + lineFeeds.of("")
                        + lineFeeds.of("\n\n"))
                .isEqualTo("a\nb\n\n");
    }

    @Test
    void collectsOneAnswer() {
        var answer = new ChatAnswer(0, () -> TimeUnit.MILLISECONDS.toNanos(30));
        answer.start("id", "m", -1);
        answer.text("a\r\n");
        answer.refusal("b");
        answer.usage(new TokenCounts(1, -1, -1, 2, -1));
        answer.stop(StopReason.STOP_SEQUENCE, ";");
        answer.end();
        assertThat(new String(answer.body(), StandardCharsets.UTF_8))
                .isEqualTo("{\"text\":\"a\\r\\nb\",\"reason\":\"stop\",\"model\":\"m\","
                        + "\"usage\":{\"input_tokens\":1,\"output_tokens\":2},\"duration_ms\":30}");
    }

    private ChatStream stream(ChatForm form, TextUnit unit, boolean eventSource) {
        var stream = new ChatStream(form, unit, false, eventSource ? "" : null, new ChatTimes(() -> nowNs, 0, 0));
        stream.to(out);
        return stream;
    }

    private String written() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private static String text(List<SseEvent> events) {
        var text = new StringBuilder();
        events.forEach(event -> text.append(event.data()));
        return text.toString();
    }
}
