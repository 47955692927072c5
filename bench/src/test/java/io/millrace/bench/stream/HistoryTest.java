package io.millrace.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said in a session, as the messages of each dialect, and what of an answer's frames is its text. */
class HistoryTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "CHAT|[{'role':'user','content':'Q'},{'role':'assistant','content':'A','tool_calls':[{'id':'call_1','type':'function','function':{'name':'run','arguments':'{}'}}]},{'role':'tool','tool_call_id':'call_1','content':'R'},{'role':'assistant','content':'(no text)'},{'role':'user','content':'Q2'}]",
                "MESSAGES|[{'role':'user','content':'Q'},{'role':'assistant','content':[{'type':'text','text':'A'},{'type':'tool_use','id':'call_1','name':'run','input':{}}]},{'role':'user','content':[{'type':'tool_result','tool_use_id':'call_1','content':'R'}]},{'role':'assistant','content':[{'type':'text','text':'(no text)'}]},{'role':'user','content':'Q2'}]",
                "RESPONSES|[{'role':'user','content':'Q'},{'role':'assistant','content':'A'},{'type':'function_call','call_id':'call_1','name':'run','arguments':'{}'},{'type':'function_call_output','call_id':'call_1','output':'R'},{'role':'assistant','content':'(no text)'},{'role':'user','content':'Q2'}]",
                "GEMINI|[{'role':'user','parts':[{'text':'Q'}]},{'role':'model','parts':[{'text':'A'},{'functionCall':{'name':'run','args':{}}}]},{'role':'user','parts':[{'functionResponse':{'name':'run','response':{'result':'R'}}}]},{'role':'model','parts':[{'text':'(no text)'}]},{'role':'user','parts':[{'text':'Q2'}]}]"
            })
    void growsByWhatIsAnswered(Dialect dialect, String messages) {
        var history = History.of(dialect);
        history.user("Q");
        history.answer("A", true);
        history.toolResult("R");
        history.answer("", false);
        history.user("Q2");

        assertThat(history.messages().toString()).isEqualTo(messages.replace('\'', '"'));
        assertThat(history.tools().toString()).contains("\"run\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "CHAT|data: {'choices':[{'delta':{'content':' a\\n'}}]}",
                "CHAT|: ping#data: {'choices':[{'delta':{'reasoning_content':'no','content':' a\\n'}}]}",
                "MESSAGES|event: content_block_delta#data: {'type':'content_block_delta','delta':{'type':'text_delta','text':' a\\n'}}",
                "RESPONSES|event: x#data: {'type':'response.output_text.delta','delta':' a\\n'}",
                "GEMINI|data: {'candidates':[{'content':{'parts':[{'thought':true,'text':'no'},{'text':' a\\n'}]}}]}"
            })
    void takesTheTextOfAFrame(Dialect dialect, String frame) {
        assertThat(text(dialect, frame)).isEqualTo(" a\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "CHAT|data: {'choices':[{'delta':{'tool_calls':[{'function':{'arguments':'x'}}]}}]}",
                "CHAT|data: [DONE]",
                "MESSAGES|data: {'type':'content_block_delta','delta':{'type':'thinking_delta','thinking':'x'}}",
                "RESPONSES|data: {'type':'response.reasoning_text.delta','delta':'x'}",
                "RESPONSES|data: {'type':'response.function_call_arguments.delta','delta':'x'}",
                "GEMINI|data: {'candidates':[{'content':{'parts':[{'functionCall':{'name':'x'}}]}}]}"
            })
    void takesNeitherReasoningNorCalls(Dialect dialect, String frame) {
        assertThat(text(dialect, frame)).isEmpty();
    }

    private static String text(Dialect dialect, String frame) {
        var buf = Unpooled.copiedBuffer(frame.replace('\'', '"').replace('#', '\n') + "\n\n", StandardCharsets.UTF_8);
        try {
            var answer = new StringBuilder();
            AnswerText.append(answer, dialect, buf, 0, buf.readableBytes());
            return answer.toString();
        } finally {
            buf.release();
        }
    }
}
