package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The kind of single frames, and the state of the stream after them. Tables are {@code kind | data}. */
class FrameKindTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "STRUCTURAL | {'choices':[{'index':0,'delta':{'role':'assistant','content':''},'finish_reason':null}]}",
                "STRUCTURAL | {'choices':[{'index':0,'delta':{'role':'assistant','content':null,'tool_calls':null}}]}",
                "STRUCTURAL | {'id':'','model':'','choices':[],'prompt_filter_results':[{}]}",
                "STRUCTURAL | {'choices':[],'usage':{'prompt_tokens':1,'completion_tokens':2}}",
                "STRUCTURAL | {'choices':[{'delta':{},'finish_reason':'stop','index':0}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'content':'x'}}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'content':' '},'finish_reason':'length'}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'content':[{'type':'text','text':'x'}]}}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'role':'assistant','content':'','reasoning':'x'}}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'reasoning_content':'x','content':null}}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'reasoning_details':[{'type':'reasoning.text','text':'x'}]}}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'refusal':'no'}}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'tool_calls':[{'index':0,'function':{'arguments':''}}]}}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'function_call':{'name':'f'}}}]}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'audio':{'data':'AAAA'}}}]}",
                "OUTPUT | {'choices':[{'text':'x','index':0,'finish_reason':null}]}",
                "KEEP_ALIVE | {'choices':[{'index':0,'delta':{}}],'usage':null}",
                "KEEP_ALIVE | {'choices':[{'index':0,'delta':{'content':''},'finish_reason':null}],'error':null}",
                "KEEP_ALIVE | {'choices':[{'index':0,'delta':{'content':[]}}]}",
                "ERROR | {'error':{'message':'m','type':'server_error','param':null,'code':null}}",
                "ERROR | {'error':'text'}",
                "ERROR | {'choices':[{'index':0,'delta':{'content':'x'}}],'error':{'code':502,'message':'m'}}",
                "STRUCTURAL | {'error':{}}",
                "STRUCTURAL | {'error':false}",
                "HIDDEN_ERROR | {'object':'error','message':'m','type':'BadRequestError','param':null,'code':400}",
                "HIDDEN_ERROR | {'id':'x','choices':null,'error_type':'server_error','error_message':'m','error_code':500}",
                "HIDDEN_ERROR | {'error_code':17,'error_msg':'m'}",
                "HIDDEN_ERROR | {'code':'429','message':'m'}",
                "HIDDEN_ERROR | {'message':'m','code':1302,'choices':[]}",
                "HIDDEN_ERROR | {'choices':[{'index':0,'delta':{'content':''},'finish_reason':'error','error':{'code':502}}]}",
                "HIDDEN_ERROR | [DONE]",
                "STRUCTURAL | {'code':0,'message':'success'}",
                "STRUCTURAL | {'code':200,'message':'ok','data':{}}",
                "STRUCTURAL | {'code':'','message':'m'}",
                "STRUCTURAL | {'message':'m'}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'content':'x'}}],'error':{}}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'content':'x'},'error':null}],'error':'','error_message':'m'}",
                "OUTPUT | {'choices':[{'index':0,'delta':{'content':'x'}}],'code':7,'message':'m','object':'error'}",
                "STRUCTURAL | not json",
                "STRUCTURAL | {'choices':[{'index':0,'delta':{'rol",
                "STRUCTURAL | 7",
                "STRUCTURAL | []"
            })
    void ofChatChunks(FrameKind kind, String data) {
        assertEachForm(Dialect.CHAT, kind, data);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "OUTPUT | {'type':'response.output_text.delta','sequence_number':4,'delta':'x'}",
                "OUTPUT | {'delta':'x','sequence_number':4,'type':'response.output_text.delta'}",
                "STRUCTURAL | {'type':'response.output_text.delta','delta':''}",
                "OUTPUT | {'type':'response.refusal.delta','delta':'x'}",
                "OUTPUT | {'type':'response.reasoning_text.delta','delta':'x'}",
                "OUTPUT | {'type':'response.reasoning_summary_text.delta','delta':'x'}",
                "OUTPUT | {'type':'response.function_call_arguments.delta','delta':'{'}",
                "OUTPUT | {'type':'response.custom_tool_call_input.delta','delta':'x'}",
                "OUTPUT | {'type':'response.mcp_call_arguments.delta','delta':'x'}",
                "OUTPUT | {'type':'response.code_interpreter_call_code.delta','delta':'x'}",
                "OUTPUT | {'type':'response.audio.delta','delta':'AAAA'}",
                "OUTPUT | {'type':'response.audio.transcript.delta','delta':'x'}",
                "OUTPUT | {'type':'response.image_generation_call.partial_image','partial_image_b64':'AAAA'}",
                "OUTPUT | {'type':'response.function_call_arguments.done','arguments':'{}'}",
                "STRUCTURAL | {'type':'response.created','response':{'status':'in_progress','error':null,'usage':null}}",
                "STRUCTURAL | {'type':'response.queued','response':{}}",
                "STRUCTURAL | {'type':'response.in_progress','response':{}}",
                "STRUCTURAL | {'type':'response.output_item.added','item':{'type':'message'}}",
                "STRUCTURAL | {'type':'response.output_item.done','item':{'type':'message','error':{'code':'x'}}}",
                "STRUCTURAL | {'type':'response.content_part.added','part':{'type':'output_text','text':''}}",
                "STRUCTURAL | {'type':'response.output_text.done','text':'x'}",
                "STRUCTURAL | {'type':'response.output_text.annotation.added','annotation':{}}",
                "STRUCTURAL | {'type':'response.reasoning_summary_part.added','part':{}}",
                "STRUCTURAL | {'type':'response.web_search_call.searching'}",
                "STRUCTURAL | {'type':'response.something.new'}",
                "KEEP_ALIVE | {'type':'keepalive','sequence_number':9}",
                "TERMINAL | {'type':'response.completed','response':{'status':'completed'}}",
                "TERMINAL | {'response':{'status':'incomplete'},'type':'response.incomplete'}",
                "ERROR | {'type':'response.failed','response':{'error':{'code':'server_error','message':'m'}}}",
                "ERROR | {'type':'error','code':'server_error','message':'m','param':null}",
                "ERROR | {'type':'error','error':{'code':'server_error','message':'m'}}",
                "ERROR | {'error':{'code':'server_error','message':'m'}}",
                "STRUCTURAL | [DONE]",
                "STRUCTURAL | {'type':7}"
            })
    void ofResponsesEvents(FrameKind kind, String data) {
        assertEachForm(Dialect.RESPONSES, kind, data);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "STRUCTURAL | {'type':'message_start','message':{'usage':{'input_tokens':1,'output_tokens':1}}}",
                "STRUCTURAL | {'type':'content_block_start','index':0,'content_block':{'type':'text','text':''}}",
                "OUTPUT | {'type':'content_block_start','index':0,'content_block':{'type':'text','text':'x'}}",
                "STRUCTURAL | {'type':'content_block_start','content_block':{'type':'thinking','thinking':'','signature':''}}",
                "OUTPUT | {'type':'content_block_start','content_block':{'type':'redacted_thinking','data':'x'}}",
                "OUTPUT | {'type':'content_block_start','content_block':{'type':'tool_use','id':'t','name':'f','input':{}}}",
                "OUTPUT | {'type':'content_block_start','content_block':{'type':'server_tool_use','name':'web_search'}}",
                "OUTPUT | {'type':'content_block_start','content_block':{'content':[],'type':'web_search_tool_result'}}",
                "STRUCTURAL | {'type':'content_block_start','content_block':{'type':'compaction'}}",
                "OUTPUT | {'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'x'}}",
                "OUTPUT | {'delta':{'text':'x','type':'text_delta'},'type':'content_block_delta'}",
                "OUTPUT | {'type':'content_block_delta','delta':{'type':'thinking_delta','thinking':'x'}}",
                "OUTPUT | {'type':'content_block_delta','delta':{'type':'input_json_delta','partial_json':'{'}}",
                "OUTPUT | {'type':'content_block_delta','delta':{'type':'citations_delta','citation':{'type':'x'}}}",
                "STRUCTURAL | {'type':'content_block_delta','delta':{'type':'thinking_delta','thinking':''}}",
                "STRUCTURAL | {'type':'content_block_delta','delta':{'type':'input_json_delta','partial_json':''}}",
                "STRUCTURAL | {'type':'content_block_delta','delta':{'type':'signature_delta','signature':'x'}}",
                "STRUCTURAL | {'type':'content_block_stop','index':0}",
                "STRUCTURAL | {'type':'message_delta','delta':{'stop_reason':'end_turn'},'usage':{'output_tokens':9}}",
                "KEEP_ALIVE | {'type': 'ping'}",
                "TERMINAL | {'type':'message_stop'        }",
                "STRUCTURAL | {'type':'new_event'}",
                "STRUCTURAL | {'type':'message_start','message':{'type':'message_stop','ping':{'type':'error'}}}"
            })
    void ofMessagesEvents(FrameKind kind, String data) {
        assertEachForm(Dialect.MESSAGES, kind, data);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "OUTPUT | {'candidates':[{'content':{'parts':[{'text':'x'}],'role':'model'}}]}",
                "OUTPUT | {'candidates': [{'content': {'parts': [{'text': 'x'}]},'finishReason': 'STOP','index': 0}]}",
                "OUTPUT | {'candidates':[{'content':{'parts':[{'thought':true,'text':'x'}]}}]}",
                "OUTPUT | {'candidates':[{'content':{'parts':[{'functionCall':{'name':'f','args':{}}}]}}]}",
                "OUTPUT | {'candidates':[{'content':{'parts':[{'inlineData':{'data':'AAAA'}}]}}]}",
                "OUTPUT | {'candidates':[{'content':{'parts':[{'executableCode':{'code':'x'}}]}}]}",
                "OUTPUT | {'candidates':[{'content':{'parts':[{'text':''},{'text':'x'}]}}]}",
                "STRUCTURAL | {'candidates':[{'content':{'parts':[{'text':'','thoughtSignature':'x'}]}}]}",
                "STRUCTURAL | {'candidates':[{'content':{'parts':null},'finishReason':'STOP'}]}",
                "STRUCTURAL | {'candidates':[{'finishReason':'MAX_TOKENS'}]}",
                "STRUCTURAL | {'usageMetadata':{'promptTokenCount':1}}",
                "TERMINAL | {'promptFeedback':{'blockReason':'SAFETY'}}",
                "STRUCTURAL | {'promptFeedback':{'safetyRatings':[]}}",
                "ERROR | {'error':{'code':503,'message':'m','status':'UNAVAILABLE'}}",
                "STRUCTURAL | [DONE]"
            })
    void ofGeminiChunks(FrameKind kind, String data) {
        assertEachForm(Dialect.GEMINI, kind, data);
    }

    @ParameterizedTest
    @EnumSource
    void ofFramesWithoutDataIsKeepAlive(Dialect dialect) {
        for (String frame :
                new String[] {"\n", "\r\n", "\n\n", ":\n\n", ": ping - x\r\n\r\n", "event: ping\n\n", "id: 1\r\r"}) {
            assertThat(Frames.inspect(dialect.newInspector(), frame)).isEqualTo(FrameKind.KEEP_ALIVE);
        }
    }

    @Test
    void ofUnknownDialectIsOutputWithDataAndNeverAnEnd() {
        StreamInspector inspector = Dialect.UNKNOWN.newInspector();
        for (String frame : new String[] {"data: [DONE]\n\n", "event: error\ndata: x\n\n", "data:{\"error\":1}\n\n"}) {
            assertThat(Frames.inspect(inspector, frame)).isEqualTo(FrameKind.OUTPUT);
        }
        assertThat(Frames.inspect(inspector, "error: {}\n\n")).isEqualTo(FrameKind.KEEP_ALIVE);
        assertThat(inspector.end()).isEqualTo(StreamEnd.OPEN);
        assertThat(inspector.outputFrames()).isEqualTo(3);
        assertThat(inspector.errorMessage()).isNull();
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void ofErrorFieldIsHiddenError(Dialect dialect) {
        StreamInspector inspector = dialect.newInspector();
        String frame = "error: {\"detail\":\"x\",\"error\":{\"code\":500,\"message\":\"it \\\"broke\\\"\"}}\n\n";
        assertThat(Frames.inspect(inspector, frame)).isEqualTo(FrameKind.HIDDEN_ERROR);
        assertThat(inspector.errorType()).isEqualTo("500");
        assertThat(inspector.errorMessage()).isEqualTo("it \"broke\"");
        Frames.inspect(inspector, "data: [DONE]\n\n");
        assertThat(inspector.end()).isEqualTo(StreamEnd.HIDDEN_ERROR);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\n  \"error\": {\n    \"code\": 499,\n    \"message\": \"m\",\n    \"status\": \"CANCELLED\"\n  }\n}\n\n",
                "[{\"error\":{\"code\":499,\"message\":\"m\",\"status\":\"CANCELLED\"}}]\r\n\r\n"
            })
    void ofRawErrorObjectIsHiddenError(String frame) {
        for (Dialect dialect : new Dialect[] {Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI}) {
            StreamInspector inspector = dialect.newInspector();
            assertThat(Frames.inspect(inspector, frame)).isEqualTo(FrameKind.HIDDEN_ERROR);
            assertThat(inspector.errorType()).isEqualTo("CANCELLED");
            assertThat(inspector.errorMessage()).isEqualTo("m");
        }
    }

    @Test
    void ofMessagesErrorDependsOnItsEventLine() {
        String data = "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}\n";
        for (String frame : new String[] {"event: error\n" + data + "\n", data + "event:error\r\n\r\n"}) {
            StreamInspector inspector = Dialect.MESSAGES.newInspector();
            assertThat(Frames.inspect(inspector, frame)).isEqualTo(FrameKind.ERROR);
            assertThat(inspector.end()).isEqualTo(StreamEnd.ERROR);
            assertThat(inspector.errorType()).isEqualTo("overloaded_error");
        }
        for (String frame : new String[] {data + "\n", "event: message\n" + data + "\n"}) {
            StreamInspector inspector = Dialect.MESSAGES.newInspector();
            assertThat(Frames.inspect(inspector, frame)).isEqualTo(FrameKind.HIDDEN_ERROR);
            assertThat(inspector.end()).isEqualTo(StreamEnd.HIDDEN_ERROR);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "CHAT | HIDDEN_ERROR | worker died",
                "CHAT | HIDDEN_ERROR | 'worker died'",
                "CHAT | HIDDEN_ERROR | {'message':'worker died','type':'t'}",
                "CHAT | HIDDEN_ERROR | {'message':{'detail':'worker died'},'code':500}",
                "CHAT | ERROR | {'error':{'message':'worker died'}}",
                "GEMINI | HIDDEN_ERROR | {'message':'worker died'}",
                "GEMINI | ERROR | {'error':{'message':'worker died'}}",
                "MESSAGES | ERROR | {'message':'worker died'}",
                "MESSAGES | ERROR | {'type':'error','message':'worker died'}",
                "RESPONSES | HIDDEN_ERROR | {'message':'worker died'}",
                "RESPONSES | ERROR | {'type':'error','code':'c','message':'worker died'}"
            })
    void ofErrorEventIsErrorWhateverItsData(Dialect dialect, FrameKind kind, String data) {
        StreamInspector inspector = dialect.newInspector();
        String frame = "event: error\ndata: " + data.replace('\'', '"') + "\n\n";
        assertThat(Frames.inspect(inspector, frame)).isEqualTo(kind);
        assertThat(inspector.errorMessage()).isEqualTo("worker died");
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void ofAnErrorWithoutAnErrorObjectIsHidden(Dialect dialect) {
        StreamInspector inspector = dialect.newInspector();
        String frame = frame("{'object':'error','message':'too long','type':'BadRequestError','code':400}");
        assertThat(Frames.inspect(inspector, frame)).isEqualTo(FrameKind.HIDDEN_ERROR);
        assertThat(inspector.errorType()).isEqualTo("400");
        assertThat(inspector.errorMessage()).isEqualTo("too long");
        assertThat(inspector.endedUnanswered()).isFalse();
    }

    @Test
    void ofDoneWithoutAChoiceIsAnError() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        Frames.inspect(inspector, frame("{'choices':[],'usage':{'prompt_tokens':1}}"));
        assertThat(Frames.inspect(inspector, frame("[DONE]"))).isEqualTo(FrameKind.HIDDEN_ERROR);
        assertThat(inspector.endedUnanswered()).isTrue();
        StreamInspector answered = Dialect.CHAT.newInspector();
        Frames.inspect(answered, frame("{'choices':[{'index':0,'delta':{}}]}"));
        assertThat(Frames.inspect(answered, frame("[DONE]"))).isEqualTo(FrameKind.TERMINAL);
    }

    @Test
    void ofResponsesWithoutTypeIsItsEventLines() {
        StreamInspector inspector = Dialect.RESPONSES.newInspector();
        assertThat(Frames.inspect(inspector, "data: {\"delta\":\"x\"}\nevent: response.output_text.delta\n\n"))
                .isEqualTo(FrameKind.OUTPUT);
    }

    @Test
    void ofArgumentsThatCameInDeltasIsStructuralOnceWhole() {
        StreamInspector inspector = Dialect.RESPONSES.newInspector();
        String done = frame("{'type':'response.function_call_arguments.done','arguments':'{}'}");
        Frames.inspect(inspector, frame("{'type':'response.function_call_arguments.delta','delta':'{}'}"));
        assertThat(Frames.inspect(inspector, done)).isEqualTo(FrameKind.STRUCTURAL);
        Frames.inspect(inspector, frame("{'type':'response.output_item.added','item':{}}"));
        assertThat(Frames.inspect(inspector, done)).isEqualTo(FrameKind.OUTPUT);
    }

    @Test
    void joinsDataOverSeveralLines() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        String frame = """
                data: {"choices":[{"index":0,
                : between
                data:"delta":{"content":"x"},
                data: "finish_reason":"stop"}]}

                """;
        assertThat(Frames.inspect(inspector, frame)).isEqualTo(FrameKind.OUTPUT);
        assertThat(inspector.end()).isEqualTo(StreamEnd.FINISHED);
        assertThat(inspector.outputFrames()).isEqualTo(1);
    }

    @Test
    void skipsOneByteOrderMarkAtTheStartOnly() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        String marked = "\uFEFF" + frame("{'choices':[{'index':0,'delta':{'content':'x'}}]}");
        assertThat(Frames.inspect(inspector, marked)).isEqualTo(FrameKind.OUTPUT);
        assertThat(Frames.inspect(inspector, marked)).isEqualTo(FrameKind.KEEP_ALIVE);
    }

    @Test
    void takesNoFieldNameWithLeadingSpaceForData() {
        assertThat(Frames.inspect(Dialect.CHAT.newInspector(), " data: [DONE]\n\n"))
                .isEqualTo(FrameKind.KEEP_ALIVE);
        assertThat(Frames.inspect(Dialect.CHAT.newInspector(), "datax: [DONE]\n\n"))
                .isEqualTo(FrameKind.KEEP_ALIVE);
    }

    /** With LF, CRLF and CR, with and without the space, with an event line before and behind. */
    private static void assertEachForm(Dialect dialect, FrameKind kind, String data) {
        String json = data.replace('\'', '"');
        for (String eol : new String[] {"\n", "\r\n", "\r"}) {
            for (String field : new String[] {"data: ", "data:"}) {
                String line = field + json + eol;
                for (String frame : new String[] {line, "event: x" + eol + line, line + "id: 7" + eol}) {
                    assertThat(Frames.inspect(dialect.newInspector(), frame + eol))
                            .as(frame)
                            .isEqualTo(kind);
                }
            }
        }
    }

    private static String frame(String data) {
        return "data: " + data.replace('\'', '"') + "\n\n";
    }
}
