package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The end in each dialect of a stream that is stopped in the middle. */
class StopFramesTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern FRAME = Pattern.compile("(?s).+?(?:\n\n|\r\n\r\n)");
    private static final StreamStop STOP = new StreamStop("mr-1", "asked", 1, false, 1_700_000_000);
    private static final StreamStop STOP_WITH_USAGE = new StreamStop("mr-1", "asked", 1, true, 1_700_000_000);

    @Test
    void chatFinishesTheChoiceAndSaysDone() throws IOException {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, chat("{'index':0,'delta':{'role':'assistant','content':''},'finish_reason':null}"));
        feed(inspector, chat("{'index':0,'delta':{'content':'a'},'finish_reason':null}"));
        feed(inspector, chat("{'index':0,'delta':{'content':'b'},'finish_reason':null}"));
        List<String> frames = stop(inspector, STOP);
        assertThat(frames).hasSize(2);
        assertThat(data(frames.get(0)))
                .isEqualTo(JSON.readTree("{\"id\":\"chatcmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":12,"
                        + "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,"
                        + "\"finish_reason\":\"stop\"}]}"));
        assertThat(frames.get(1)).isEqualTo("data: [DONE]\n\n");
    }

    @Test
    void chatGivesAChoiceThatHasNotBegunItsRole() throws IOException {
        List<String> frames = stop(Dialect.CHAT.newInspector(), STOP);
        JsonNode chunk = data(frames.get(0));
        assertThat(chunk.at("/id").textValue()).isEqualTo("chatcmpl-mr-1");
        assertThat(chunk.at("/model").textValue()).isEqualTo("asked");
        assertThat(chunk.at("/created").longValue()).isEqualTo(1_700_000_000);
        assertThat(chunk.at("/choices/0/delta/role").textValue()).isEqualTo("assistant");
        assertThat(frames).hasSize(2);
    }

    @Test
    void chatFinishesEachChoiceThatIsNot() throws IOException {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, chat("{'index':0,'delta':{'content':'a'}},{'index':1,'delta':{'content':'b'}}"));
        feed(inspector, chat("{'index':0,'delta':{},'finish_reason':'length'}"));
        List<String> frames = stop(inspector, new StreamStop("x", "m", 3, false, 1));
        assertThat(frames).hasSize(3);
        assertThat(data(frames.get(0)).at("/choices/0/index").intValue()).isEqualTo(1);
        assertThat(data(frames.get(0)).at("/choices/0/delta")).isEmpty();
        assertThat(data(frames.get(1)).at("/choices/0/index").intValue()).isEqualTo(2);
        assertThat(data(frames.get(1)).at("/choices/0/delta/role").textValue()).isEqualTo("assistant");
    }

    @Test
    void chatSaysTheUsageKnownWhereTheClientLooksForIt() throws IOException {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, chat("{'index':0,'delta':{'content':'a'}}"));
        assertThat(stop(inspector, STOP_WITH_USAGE)).hasSize(2);
        feed(inspector, "{'choices':[],'usage':{'prompt_tokens':5,'completion_tokens':7,'total_tokens':12}}");
        List<String> asked = stop(inspector, STOP_WITH_USAGE);
        assertThat(asked).hasSize(3);
        assertThat(data(asked.get(0)).has("usage")).isFalse();
        assertThat(data(asked.get(1)).at("/choices")).isEmpty();
        assertThat(data(asked.get(1)).at("/usage/total_tokens").intValue()).isEqualTo(12);
        List<String> unasked = stop(inspector, STOP);
        assertThat(unasked).hasSize(2);
        assertThat(data(unasked.get(0)).at("/usage/completion_tokens").intValue())
                .isEqualTo(7);
    }

    @Test
    void chatThatIsFinishedLacksOnlyItsDone() throws IOException {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, chat("{'index':0,'delta':{},'finish_reason':'length'}"));
        assertThat(stop(inspector, STOP)).containsExactly("data: [DONE]\n\n");
    }

    @Test
    void legacyCompletionsHaveTheirOwnChunk() throws IOException {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, "{'id':'cmpl-9','object':'text_completion','choices':[{'text':'a','index':0}],'model':'m'}");
        JsonNode chunk = data(stop(inspector, STOP).get(0));
        assertThat(chunk.at("/id").textValue()).isEqualTo("cmpl-9");
        assertThat(chunk.at("/object").textValue()).isEqualTo("text_completion");
        assertThat(chunk.at("/choices/0/text").textValue()).isEmpty();
        assertThat(chunk.at("/choices/0").has("delta")).isFalse();
    }

    @Test
    void messagesClosesTheBlocksThatAreOpen() throws IOException {
        StreamInspector inspector = Dialect.MESSAGES.newInspector();
        event(
                inspector,
                "{'type':'message_start','message':{'id':'msg_1','model':'m','usage':{'input_tokens':9,'output_tokens':2}}}");
        event(inspector, "{'type':'content_block_start','index':0,'content_block':{'type':'text','text':''}}");
        event(inspector, "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'a'}}");
        event(inspector, "{'type':'content_block_stop','index':0}");
        assertThat(types(stop(inspector, STOP))).containsExactly("message_delta", "message_stop");
        for (int i = 1; i < 200; i++) {
            event(
                    inspector,
                    "{'type':'content_block_start','index':" + i
                            + ",'content_block':{'type':'tool_use','id':'t','name':'n','input':{}}}");
            assertThat(types(stop(inspector, STOP)))
                    .containsExactly("content_block_stop", "message_delta", "message_stop");
            assertThat(data(stop(inspector, STOP).get(0)).at("/index").intValue())
                    .isEqualTo(i);
            if (i < 199) {
                event(inspector, "{'type':'content_block_stop','index':" + i + "}");
            }
        }
        event(inspector, "{'index':200,'content_block':{'type':'thinking'},'type':'content_block_start'}");
        List<String> frames = stop(inspector, STOP);
        assertThat(data(frames.get(0)).at("/index").intValue()).isEqualTo(199);
        assertThat(data(frames.get(1)).at("/index").intValue()).isEqualTo(200);
        assertThat(frames.get(2)).startsWith("event: message_delta\ndata: {");
        assertThat(data(frames.get(2)).at("/delta/stop_reason").textValue()).isEqualTo("end_turn");
        assertThat(data(frames.get(2)).at("/usage/output_tokens").intValue()).isEqualTo(2);
        assertThat(frames.get(3)).isEqualTo("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    }

    @Test
    void messagesThatHasItsReasonLacksOnlyItsStop() throws IOException {
        StreamInspector inspector = Dialect.MESSAGES.newInspector();
        event(inspector, "{'type':'message_start','message':{'id':'msg_1','model':'m'}}");
        event(inspector, "{'type':'message_delta','delta':{'stop_reason':'max_tokens'},'usage':{'output_tokens':3}}");
        assertThat(types(stop(inspector, STOP))).containsExactly("message_stop");
    }

    @Test
    void messagesThatHasNotBegunIsAWholeEmptyMessage() throws IOException {
        List<String> frames = stop(Dialect.MESSAGES.newInspector(), STOP);
        assertThat(types(frames)).containsExactly("message_start", "message_delta", "message_stop");
        assertThat(data(frames.get(0)).at("/message/id").textValue()).isEqualTo("msg_mr-1");
        assertThat(data(frames.get(0)).at("/message/content").isArray()).isTrue();
    }

    @Test
    void responsesIsIncompleteAndCountsOn() throws IOException {
        StreamInspector inspector = Dialect.RESPONSES.newInspector();
        feed(
                inspector,
                "{'type':'response.created','sequence_number':0,'response':{'id':'resp_5','created_at':17,'model':'m'}}");
        feed(inspector, "{'type':'response.output_text.delta','sequence_number':4,'delta':'a'}");
        List<String> frames = stop(inspector, STOP);
        assertThat(types(frames)).containsExactly("response.incomplete");
        JsonNode event = data(frames.get(0));
        assertThat(event.at("/sequence_number").intValue()).isEqualTo(5);
        assertThat(event.at("/response/id").textValue()).isEqualTo("resp_5");
        assertThat(event.at("/response/created_at").intValue()).isEqualTo(17);
        assertThat(event.at("/response/status").textValue()).isEqualTo("incomplete");
        assertThat(event.at("/response/incomplete_details/reason").textValue()).isEqualTo("stopped");
        assertThat(event.at("/response/output").isArray()).isTrue();
        assertThat(event.at("/response/usage").isNull()).isTrue();
    }

    @Test
    void responsesThatHasNotBegunIsCreatedFirst() throws IOException {
        List<String> frames = stop(Dialect.RESPONSES.newInspector(), STOP);
        assertThat(types(frames)).containsExactly("response.created", "response.incomplete");
        assertThat(data(frames.get(0)).at("/sequence_number").intValue()).isZero();
        assertThat(data(frames.get(1)).at("/sequence_number").intValue()).isEqualTo(1);
        assertThat(data(frames.get(1)).at("/response/id").textValue()).isEqualTo("resp_mr-1");
    }

    @Test
    void geminiFinishesAsOtherWithTheUsageKnown() throws IOException {
        StreamInspector inspector = Dialect.GEMINI.newInspector();
        feed(
                inspector,
                "{'candidates':[{'content':{'parts':[{'text':'a'}]}}],'usageMetadata':{'promptTokenCount':3},"
                        + "'modelVersion':'g','responseId':'r'}");
        List<String> frames = stop(inspector, STOP);
        assertThat(frames).hasSize(1);
        assertThat(frames.get(0)).endsWith("}\r\n\r\n");
        assertThat(data(frames.get(0)))
                .isEqualTo(
                        JSON.readTree("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},"
                                + "\"finishReason\":\"OTHER\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":3},"
                                + "\"modelVersion\":\"g\",\"responseId\":\"r\"}"));
    }

    @ParameterizedTest
    @EnumSource
    void nothingFollowsAnErrorOrAnUnknownDialect(Dialect dialect) throws IOException {
        StreamInspector inspector = dialect.newInspector();
        Frames.inspect(inspector, "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"m\"}}\n\n");
        assertThat(stop(inspector, STOP)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("io.millrace.codec.dialect.RecordedStreamsTest#files")
    void everyRecordedStreamEndsWellWhereverItIsStopped(String file) throws IOException {
        byte[] stream = RecordedStreamsTest.read(file);
        Dialect dialect = RecordedStreamsTest.dialectOf(file);
        List<Integer> ends = RecordedStreamsTest.frameEnds(stream);
        int step = Math.max(1, ends.size() / 40);
        for (int stopAfter = 0; stopAfter <= ends.size(); stopAfter += step) {
            StreamInspector inspector = dialect.newInspector();
            int from = 0;
            for (int end : ends.subList(0, stopAfter)) {
                Frames.inspect(inspector, Arrays.copyOfRange(stream, from, end));
                from = end;
            }
            StreamEnd reached = inspector.end();
            List<String> frames = stop(inspector, STOP_WITH_USAGE);
            for (String frame : frames) {
                assertThat(Frames.inspect(inspector, frame))
                        .as("%s stopped after %s: %s", file, stopAfter, frame)
                        .isIn(FrameKind.STRUCTURAL, FrameKind.TERMINAL);
            }
            assertThat(inspector.end()).isEqualTo(endOf(dialect, reached));
            assertThat(stop(inspector, STOP)).isEmpty();
        }
    }

    private static StreamEnd endOf(Dialect dialect, StreamEnd reached) {
        if (reached.compareTo(StreamEnd.FINISHED) > 0) {
            return reached;
        }
        return switch (dialect) {
            case CHAT, MESSAGES -> StreamEnd.DONE;
            case RESPONSES -> StreamEnd.TERMINAL;
            case GEMINI -> StreamEnd.FINISHED;
            case UNKNOWN -> reached;
        };
    }

    @Test
    void onlyAChunkWithoutChoicesIsUsageAlone() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, "{'choices':[{'index':0,'delta':{'content':'a'}}],'usage':{'prompt_tokens':1},'model':'m'}");
        assertThat(inspector.isUsageOnly()).isFalse();
        feed(inspector, "{'choices':[],'usage':null}");
        assertThat(inspector.isUsageOnly()).isFalse();
        feed(inspector, "{'choices':[],'prompt_filter_results':[]}");
        assertThat(inspector.isUsageOnly()).isFalse();
        feed(inspector, "{'usage':{'prompt_tokens':1}}");
        assertThat(inspector.isUsageOnly()).isFalse();
        feed(inspector, "{'model':'m','choices': [ ],'usage': {'prompt_tokens':1,'completion_tokens':2}}");
        assertThat(inspector.isUsageOnly()).isTrue();
        feed(inspector, "[DONE]");
        assertThat(inspector.isUsageOnly()).isFalse();
    }

    private static String chat(String choices) {
        return "{'id':'chatcmpl-7','object':'chat.completion.chunk','created':12,'model':'m','choices':[" + choices
                + "]}";
    }

    private static void feed(StreamInspector inspector, String data) {
        Frames.inspect(inspector, "data: " + data.replace('\'', '"') + "\n\n");
    }

    private static void event(StreamInspector inspector, String data) {
        Frames.inspect(inspector, "event: x\ndata: " + data.replace('\'', '"') + "\n\n");
    }

    private static List<String> stop(StreamInspector inspector, StreamStop stop) {
        ByteBuf buf = inspector.stopFrames(ByteBufAllocator.DEFAULT, stop);
        try {
            List<String> frames = FRAME.matcher(buf.toString(StandardCharsets.UTF_8))
                    .results()
                    .map(MatchResult::group)
                    .toList();
            assertThat(String.join("", frames)).isEqualTo(buf.toString(StandardCharsets.UTF_8));
            return frames;
        } finally {
            buf.release();
        }
    }

    private static List<String> types(List<String> frames) throws IOException {
        var types = new ArrayList<String>();
        for (String frame : frames) {
            String type = data(frame).get("type").textValue();
            assertThat(frame).startsWith("event: " + type + "\n");
            types.add(type);
        }
        return types;
    }

    private static JsonNode data(String frame) throws IOException {
        return JSON.readTree(frame.substring(frame.indexOf("data: ") + "data: ".length()));
    }
}
