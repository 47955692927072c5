package io.millrace.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReasoningTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            CHAT | {"delta":{"reasoning_content":"hm"}} | true
            CHAT | {"delta":{"reasoning" : "hm"}} | true
            CHAT | {"delta":{"content":"reasoning","reasoning":"hm"}} | true
            CHAT | {"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}} | true
            CHAT | {"delta":{"content":"thinking"}} | false
            CHAT | {"delta":{"content":"reasoning"}} | false
            CHAT | {"delta":{"content":"reasoning_content","reasoning_content":null}} | false
            CHAT | {"delta":{"content":"x","reasoning":""}} | false
            RESPONSES | {"type":"response.reasoning_summary_text.delta","delta":"hm"} | true
            RESPONSES | {"delta":"hm","type": "response.reasoning_text.delta"} | true
            RESPONSES | {"type":"response.output_text.delta","delta":"response.reasoning"} | false
            MESSAGES | {"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}} | true
            MESSAGES | {"type":"content_block_delta","delta":{"type":"text_delta","text":"thinking_delta"}} | false
            MESSAGES | {"type":"content_block_delta","delta":{"type":"text_delta","text":"thinking"}} | false
            GEMINI | {"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]} | true
            GEMINI | {"candidates":[{"content":{"parts":[{"text":"thought"}]}}]} | false
            GEMINI | {"candidates":[{"content":{"parts":[{"text":"x","thought":false}]}}]} | false
            """)
    void isInKeysAndNotInWhatTheAnswerSays(Dialect dialect, String data, boolean reasoning) {
        var frame = Unpooled.copiedBuffer("data: " + data + "\n\n", StandardCharsets.UTF_8);

        assertThat(Reasoning.isIn(dialect, frame, 0, frame.writerIndex())).isEqualTo(reasoning);
    }
}
