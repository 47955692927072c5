package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The state after frames: end, usage, finish reason, model, counts. */
class StreamStateTest {
    @Test
    void chatIsFinishedOnceEveryChoiceIs() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, "{'choices':[{'index':0,'delta':{'content':'a'}},{'index':1,'delta':{'content':'b'}}]}");
        feed(inspector, "{'choices':[{'delta':{},'finish_reason':'length','index':1}]}");
        assertThat(inspector.end()).isEqualTo(StreamEnd.OPEN);
        assertThat(inspector.finishReason()).isNull();
        feed(inspector, "{'choices':[{'index':0,'delta':{'content':'c'},'finish_reason' : 'stop'}]}");
        assertThat(inspector.end()).isEqualTo(StreamEnd.FINISHED);
        assertThat(inspector.finishReason()).isEqualTo("stop");
        feed(inspector, "{'choices':[{'index':2,'delta':{'content':'late'}}]}");
        assertThat(inspector.end()).isEqualTo(StreamEnd.OPEN);
        feed(inspector, "[DONE]");
        assertThat(inspector.end()).isEqualTo(StreamEnd.DONE);
        assertThat(inspector.outputFrames()).isEqualTo(3);
    }

    @Test
    void doneAfterErrorIsNoSuccess() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, "{'error':{'message':'m','type':'t','code':'c'}}");
        feed(inspector, "{'choices':[{'index':0,'delta':{},'finish_reason':'stop'}]}");
        assertThat(feed(inspector, "[DONE]")).isEqualTo(FrameKind.TERMINAL);
        assertThat(inspector.end()).isEqualTo(StreamEnd.ERROR);
        assertThat(inspector.errorType()).isEqualTo("c");
        assertThat(inspector.errorMessage()).isEqualTo("m");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'choices':[{'index':0,'delta':{'content':'say \\\\'usage\\\\': {\\\\'prompt_tokens\\\\':1}, \\\\'error\\\\':{}'}}]}",
                "{'choices':[{'index':0,'delta':{'tool_calls':[{'index':0,'function':{'arguments':"
                        + "{'usage':{'prompt_tokens':1},'finish_reason':'stop','error':{'message':'m'}}}}]}}]}",
                "{'choices':[{'index':0,'delta':{'content':'x','usage':{'prompt_tokens':1},'error':{'message':'m'}}}],"
                        + "'meta':{'usage':{'prompt_tokens':1},'model':'no'}}",
                "{'choices':[{'index':0,'delta':{'content':'x'},'logprobs':{'content':[{'token':'\\\\\\\\','finish_reason':'x'}]}}]}"
            })
    void chatKeysInsideStringsAndNestedObjectsAreNoneOfOurs(String data) {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        assertThat(Frames.inspect(
                        inspector, "data: " + data.replace("\\\\'", "\\\"").replace('\'', '"') + "\n\n"))
                .isEqualTo(FrameKind.OUTPUT);
        assertThat(inspector.usage()).isEqualTo(Usage.NONE);
        assertThat(inspector.finishReason()).isNull();
        assertThat(inspector.errorMessage()).isNull();
        assertThat(inspector.model()).isNull();
        assertThat(inspector.end()).isEqualTo(StreamEnd.OPEN);
    }

    @Test
    void chatUsageHasItsDetailsAndComesFromGroqToo() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(
                inspector,
                "{'model':'m-1','choices':[],'usage':{'prompt_tokens':10,'completion_tokens':20,"
                        + "'prompt_tokens_details':{'cached_tokens':4},'completion_tokens_details':{'reasoning_tokens':7}}}");
        assertThat(inspector.usage()).isEqualTo(new Usage(10, 20, 4, 7));
        assertThat(inspector.model()).isEqualTo("m-1");
        feed(
                inspector,
                "{'model':'m-2','choices':[],'x_groq':{'id':'r','usage':{'prompt_tokens':18 , 'completion_tokens' : 73}}}");
        assertThat(inspector.usage()).isEqualTo(new Usage(18, 73, 4, 7));
        assertThat(inspector.model()).isEqualTo("m-1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'prompt_tokens':10,'completion_tokens':5,'total_tokens':15,'cached_tokens':4} | 10 | 5 | 4 | -1 | -1",
                "{'prompt_tokens':10,'completion_tokens':5,'prompt_cache_hit_tokens':4} | 10 | 5 | 4 | -1 | -1",
                "{'prompt_tokens':10,'completion_tokens':5,'prompt_tokens_details':{'cached_tokens':1,'cache_write_tokens':8}} | 10 | 5 | 1 | -1 | 8",
                "{'prompt_tokens':10,'completion_tokens':5,'total_tokens':215} | 10 | 205 | -1 | -1 | -1",
                "{'total_tokens':215,'prompt_tokens':10,'completion_tokens':5,'completion_tokens_details':{'reasoning_tokens':200}} | 10 | 205 | -1 | 200 | -1",
                "{'prompt_tokens':10,'completion_tokens':5,'total_tokens':1015,'cached_tokens':1000} | 10 | 5 | 1000 | -1 | -1"
            })
    void chatUsageIsFoundWhereverItStands(
            String usage, long input, long output, long cached, long reasoning, long written) {
        for (String chunk : new String[] {
            "{'model':'m','choices':[],'usage':" + usage + "}",
            "{'model':'m','choices':[{'index':0,'delta':{},'finish_reason':'stop','usage':" + usage + "}]}",
            "{'model':'m','choices':[{'index':0,'delta':{'content':'x'}}],'usage':" + usage + "}"
        }) {
            StreamInspector inspector = Dialect.CHAT.newInspector();
            for (int times = 0; times < 3; times++) {
                feed(inspector, chunk);
                assertThat(inspector.usage()).isEqualTo(new Usage(input, output, cached, reasoning, written));
            }
        }
    }

    @Test
    void outputBehindAFinishReasonTakesItBack() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, "{'model':'m','choices':[{'index':0,'delta':{'content':'a'}}]}");
        feed(inspector, "{'model':'m','choices':[{'index':0,'delta':{},'finish_reason':'stop'}]}");
        assertThat(inspector.end()).isEqualTo(StreamEnd.FINISHED);
        feed(inspector, "{'model':'m','choices':[{'index':0,'delta':{}}]}");
        feed(inspector, "{'choices':[],'usage':{'prompt_tokens':1}}");
        assertThat(inspector.end()).isEqualTo(StreamEnd.FINISHED);
        feed(inspector, "{'model':'m','choices':[{'index':0,'delta':{'content':'b'}}]}");
        assertThat(inspector.end()).isEqualTo(StreamEnd.OPEN);
        assertThat(inspector.choicesSeen()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "12.0, 12",
        "123456789012345678, 123456789012345678",
        "1234567890123456789, -1",
        "-5, -1",
        "null, -1",
        "'\"7\"', -1",
        "{}, -1"
    })
    void readsWholeCountsOnly(String json, long count) {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, "{'usage':{'prompt_tokens':" + json + ",'completion_tokens':3}}");
        assertThat(inspector.usage()).isEqualTo(new Usage(count, 3, -1, -1));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "response.completed | {'status':'completed','error':null,'incomplete_details':null} | completed | TERMINAL",
                "response.incomplete | {'status':'incomplete','incomplete_details':{'reason':'max_output_tokens'}} | incomplete:max_output_tokens | TERMINAL",
                "response.failed | {'status':'failed','error':{'code':'server_error','message':'m'}} | failed:server_error | ERROR",
                "response.cancelled | {'status':'cancelled'} | cancelled | TERMINAL",
                "response.completed | {} | completed | TERMINAL"
            })
    void responsesTerminalsSayHowTheyEnd(String type, String response, String finish, StreamEnd end) {
        for (String data : new String[] {
            "{'type':'" + type + "','sequence_number':12,'response':" + response + "}",
            "{'response':" + response + ",'sequence_number':12,'type':'" + type + "'}"
        }) {
            StreamInspector inspector = Dialect.RESPONSES.newInspector();
            feed(inspector, data);
            assertThat(inspector.finishReason()).isEqualTo(finish);
            assertThat(inspector.end()).isEqualTo(end);
            assertThat(inspector.sequenceNumber()).isEqualTo(12);
        }
    }

    @Test
    void responsesNamesItsAnswerInItsFirstEvent() {
        StreamInspector inspector = Dialect.RESPONSES.newInspector();
        assertThat(inspector.answerId()).isNull();
        feed(
                inspector,
                "{'type':'response.created','sequence_number':0,'response':{'id':'resp_1','object':'response','model':'m'}}");
        assertThat(inspector.answerId()).isEqualTo("resp_1");
        feed(inspector, "{'type':'response.in_progress','sequence_number':1,'response':{'id':'resp_2','model':'m'}}");
        assertThat(inspector.answerId()).isEqualTo("resp_1");
    }

    @Test
    void responsesDoneCountsOnlyAfterTheTerminal() {
        StreamInspector inspector = Dialect.RESPONSES.newInspector();
        assertThat(feed(inspector, "[DONE]")).isEqualTo(FrameKind.STRUCTURAL);
        assertThat(inspector.end()).isEqualTo(StreamEnd.OPEN);
        feed(
                inspector,
                "{'type':'response.completed','response':{'model':'m','usage':{'input_tokens':5,"
                        + "'input_tokens_details':{'cached_tokens':1},'output_tokens':6,'output_tokens_details':{'reasoning_tokens':2}}}}");
        assertThat(inspector.usage()).isEqualTo(new Usage(5, 6, 1, 2));
        assertThat(inspector.model()).isEqualTo("m");
        assertThat(feed(inspector, "[DONE]")).isEqualTo(FrameKind.TERMINAL);
        assertThat(inspector.end()).isEqualTo(StreamEnd.DONE);
    }

    @Test
    void responsesErrorTakesItsInnerFields() {
        StreamInspector inspector = Dialect.RESPONSES.newInspector();
        feed(
                inspector,
                "{'type':'error','code':'outer','message':'o','error':{'type':'t','code':'inner','message':'i'}}");
        assertThat(inspector.errorType()).isEqualTo("inner");
        assertThat(inspector.errorMessage()).isEqualTo("i");
        StreamInspector flat = Dialect.RESPONSES.newInspector();
        feed(flat, "{'type':'error','sequence_number':3,'code':'c','message':'m','param':null}");
        assertThat(flat.errorType()).isEqualTo("c");
        assertThat(flat.errorMessage()).isEqualTo("m");
    }

    @Test
    void messagesUsageIsCumulativeAndLastWins() {
        StreamInspector inspector = Dialect.MESSAGES.newInspector();
        feed(
                inspector,
                "{'type':'message_start','message':{'model':'c','usage':{'input_tokens':9,"
                        + "'cache_read_input_tokens':3,'output_tokens':1}}}");
        feed(inspector, "{'type':'message_delta','delta':{'stop_reason':null},'usage':{'output_tokens':20}}");
        feed(
                inspector,
                "{'type':'message_delta','delta':{'stop_reason':'end_turn'},'usage':{'input_tokens':11,"
                        + "'output_tokens':30,'output_tokens_details':{'thinking_tokens':8}}}");
        assertThat(inspector.usage()).isEqualTo(new Usage(11, 30, 3, 8));
        assertThat(inspector.finishReason()).isEqualTo("end_turn");
        assertThat(inspector.model()).isEqualTo("c");
        assertThat(inspector.end()).isEqualTo(StreamEnd.OPEN);
        feed(inspector, "{'type':'message_stop'}");
        assertThat(inspector.end()).isEqualTo(StreamEnd.DONE);
    }

    @Test
    void geminiStaysFinishedThroughRepeatedStops() {
        StreamInspector inspector = Dialect.GEMINI.newInspector();
        String chunk = "{'candidates':[{'content':{'parts':[{'text':'x'}]},'finishReason':'STOP'}],"
                + "'usageMetadata':{'promptTokenCount':4,'candidatesTokenCount':%d,'thoughtsTokenCount':2},'modelVersion':'g'}";
        feed(inspector, String.format(chunk, 1));
        feed(inspector, String.format(chunk, 5));
        assertThat(inspector.end()).isEqualTo(StreamEnd.FINISHED);
        assertThat(inspector.usage()).isEqualTo(new Usage(4, 5, -1, 2));
        assertThat(inspector.outputFrames()).isEqualTo(2);
        assertThat(inspector.model()).isEqualTo("g");
    }

    @Test
    void geminiBlockedPromptIsAnEnd() {
        StreamInspector inspector = Dialect.GEMINI.newInspector();
        feed(inspector, "{'promptFeedback':{'blockReason':'SAFETY'}}");
        assertThat(inspector.end()).isEqualTo(StreamEnd.FINISHED);
        assertThat(inspector.finishReason()).isEqualTo("block:SAFETY");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "CHAT | data: [DONE] | DROP | HIDDEN_ERROR",
                "CHAT | data: [DON | DROP | OPEN",
                "CHAT | data: {'choices':[{'index':0,'delta':{},'finish_reason':'stop'}]} | TERMINAL | FINISHED",
                "CHAT | data: {'choices':[{'index':0,'delta':{},'finish_reason':'stop'} | DROP | OPEN",
                "CHAT | data: {'choices':[{'index':0,'delta':{'content':'x'}}]}\\n | DROP | OPEN",
                "CHAT | data: {'error':{'message':'m'}} | HIDDEN_ERROR | HIDDEN_ERROR",
                "CHAT | data: {'error':{'message':'m' | DROP | OPEN",
                "CHAT | error: {'message':'m'} | HIDDEN_ERROR | HIDDEN_ERROR",
                "CHAT | error: {'mess | DROP | OPEN",
                "CHAT | {'error':{'message':'m'}} | HIDDEN_ERROR | HIDDEN_ERROR",
                "CHAT | : ping\\n | DROP | OPEN",
                "CHAT | da | DROP | OPEN",
                "RESPONSES | data: {'type':'response.completed','response':{}} | TERMINAL | TERMINAL",
                "RESPONSES | event: response.completed\\ndata: {'type':'response.comp | DROP | OPEN",
                "MESSAGES | event: message_stop\\ndata: {'type':'message_stop'}\\n | TERMINAL | DONE",
                "MESSAGES | event: message_stop | DROP | OPEN",
                "GEMINI | data: {'candidates':[{'finishReason':'STOP'}]}\\r\\n | TERMINAL | FINISHED",
                "GEMINI | data: {'promptFeedback':{'blockReason':'OTHER'}} | TERMINAL | FINISHED",
                "GEMINI | {\\n 'error': {\\n  'code': 499,\\n 'message': 'm'\\n }\\n}\\n | HIDDEN_ERROR | HIDDEN_ERROR",
                "GEMINI | {\\n 'error': {\\n  'code': 499,\\n | DROP | OPEN",
                "UNKNOWN | data: any | FORWARD | OPEN"
            })
    void tailsAreForwardedOnlyWhereTheyCompleteTheStream(
            Dialect dialect, String tail, TailVerdict verdict, StreamEnd end) {
        StreamInspector inspector = dialect.newInspector();
        String text = tail.replace('\'', '"').replace("\\n", "\n").replace("\\r", "\r");
        assertThat(Frames.inspectTail(inspector, text)).isEqualTo(verdict);
        assertThat(inspector.end()).isEqualTo(end);
        assertThat(inspector.outputFrames()).isZero();
    }

    @Test
    void tailBehindTheEndIsForwarded() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        feed(inspector, "{'choices':[{'index':0,'delta':{},'finish_reason':'stop'}]}");
        for (String done : new String[] {"data: [DONE]", "data: [DONE]\n"}) {
            StreamInspector other = Dialect.CHAT.newInspector();
            feed(other, "{'choices':[{'index':0,'delta':{}}]}");
            assertThat(Frames.inspectTail(other, done)).isEqualTo(TailVerdict.TERMINAL);
            assertThat(other.end()).isEqualTo(StreamEnd.DONE);
        }
        assertThat(Frames.inspectTail(inspector, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}"))
                .isEqualTo(TailVerdict.TERMINAL);
        assertThat(inspector.usage().inputTokens()).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(ints = {65_536, 70_001, 9_000, 5_000})
    void longTerminalInPiecesKeepsItsKindUsageAndFinish(int size) {
        String text = "x".repeat(200 * 1024);
        String frame = "event: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"sequence_number\":77,"
                + "\"response\":{\"id\":\"r\",\"status\":\"incomplete\",\"error\":null,"
                + "\"incomplete_details\":{\"reason\":\"content_filter\"},\"model\":\"m\",\"output\":[{\"text\":\""
                + text
                + " \\\"usage\\\":{\\\"input_tokens\\\":9}\"}],\"usage\":{\"input_tokens\":5,\"output_tokens\":6,"
                + "\"total_tokens\":11},\"user\":null,\"metadata\":{\"usage\":\"none\"}}}\n\n";
        StreamInspector inspector = Dialect.RESPONSES.newInspector();
        assertThat(Frames.inspectPieces(inspector, frame.getBytes(StandardCharsets.UTF_8), size))
                .isEqualTo(FrameKind.TERMINAL);
        assertThat(inspector.end()).isEqualTo(StreamEnd.TERMINAL);
        assertThat(inspector.finishReason()).isEqualTo("incomplete:content_filter");
        assertThat(inspector.usage()).isEqualTo(new Usage(5, 6, -1, -1));
        assertThat(inspector.sequenceNumber()).isEqualTo(77);
        assertThat(inspector.model()).isEqualTo("m");
    }

    @Test
    void longTerminalThatNamesItsTypeLastIsFoundAtItsEnd() {
        String frame = "data: {\"response\":{\"output\":[\"" + "x".repeat(100_000)
                + "\"],\"status\":\"completed\",\"usage\":{\"input_tokens\":5,\"output_tokens\":6}},"
                + "\"sequence_number\":3,\"type\":\"response.completed\"}\n\n";
        StreamInspector inspector = Dialect.RESPONSES.newInspector();
        Frames.inspectPieces(inspector, frame.getBytes(StandardCharsets.UTF_8), 65_536);
        assertThat(inspector.end()).isEqualTo(StreamEnd.TERMINAL);
        assertThat(inspector.finishReason()).isEqualTo("completed");
        assertThat(inspector.usage()).isEqualTo(new Usage(5, 6, -1, -1));
        assertThat(inspector.sequenceNumber()).isEqualTo(3);
    }

    @Test
    void longImageInPiecesIsOneOutputFrame() {
        byte[] frame = ("data: {\"type\":\"response.image_generation_call.partial_image\",\"partial_image_b64\":\""
                        + "QUJD".repeat(5 * 1024 * 256) + "\"}\n\n")
                .getBytes(StandardCharsets.US_ASCII);
        assertThat(frame).hasSizeGreaterThan(5 * 1024 * 1024);
        StreamInspector inspector = Dialect.RESPONSES.newInspector();
        assertThat(Frames.inspectPieces(inspector, frame, 65_536)).isEqualTo(FrameKind.OUTPUT);
        assertThat(inspector.outputFrames()).isEqualTo(1);
        assertThat(inspector.end()).isEqualTo(StreamEnd.OPEN);
    }

    @Test
    void longGeminiImageInPiecesKeepsFinishAndUsage() {
        byte[] frame = ("data: {\"candidates\":[{\"content\":{\"parts\":[{\"inlineData\":{\"data\":\""
                        + "QUJD".repeat(50_000) + "\"}}]},\"finishReason\":\"STOP\"}],"
                        + "\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":1290}}\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        StreamInspector inspector = Dialect.GEMINI.newInspector();
        assertThat(Frames.inspectPieces(inspector, frame, 65_536)).isEqualTo(FrameKind.OUTPUT);
        assertThat(inspector.end()).isEqualTo(StreamEnd.FINISHED);
        assertThat(inspector.finishReason()).isEqualTo("STOP");
        assertThat(inspector.usage()).isEqualTo(new Usage(7, 1290, -1, -1));
    }

    @Test
    void longChatChunkInPiecesIsOutputAndOrdinaryFramesFollowIt() {
        byte[] frame = ("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + "y".repeat(150_000)
                        + "\"},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n")
                .getBytes(StandardCharsets.US_ASCII);
        StreamInspector inspector = Dialect.CHAT.newInspector();
        assertThat(Frames.inspectPieces(inspector, frame, 65_536)).isEqualTo(FrameKind.OUTPUT);
        assertThat(inspector.end()).isEqualTo(StreamEnd.FINISHED);
        assertThat(inspector.finishReason()).isEqualTo("length");
        assertThat(inspector.usage()).isEqualTo(new Usage(1, 2, -1, -1));
        assertThat(feed(inspector, "[DONE]")).isEqualTo(FrameKind.TERMINAL);
        assertThat(inspector.end()).isEqualTo(StreamEnd.DONE);
    }

    private static FrameKind feed(StreamInspector inspector, String data) {
        return Frames.inspect(inspector, "data: " + data.replace('\'', '"') + "\n\n");
    }
}
