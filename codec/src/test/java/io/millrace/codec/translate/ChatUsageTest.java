package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Counts have the same meaning in each place and form that Chat servers use. */
class ChatUsageTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "'prompt_tokens': 9, 'completion_tokens': 4, 'total_tokens': 13 | 9 | -1 | -1 | 4 | -1",
                "'prompt_tokens': 9, 'completion_tokens': 4, 'cached_tokens': 5 | 9 | 5 | -1 | 4 | -1",
                "'prompt_tokens': 9, 'completion_tokens': 4, 'prompt_cache_hit_tokens': 5 | 9 | 5 | -1 | 4 | -1",
                "'prompt_tokens': 9, 'completion_tokens': 4, 'prompt_tokens_details': {'cached_tokens': 2,"
                        + " 'cache_write_tokens': 3} | 9 | 2 | 3 | 4 | -1",
                "'prompt_tokens': 9, 'completion_tokens': 4, 'cache_read_input_tokens': 2, 'cache_creation_input_tokens': 3"
                        + " | 9 | 2 | 3 | 4 | -1",
                "'prompt_tokens': 9, 'completion_tokens': 4, 'total_tokens': 113 | 9 | -1 | -1 | 104 | -1",
                "'prompt_tokens': 9, 'completion_tokens': 4, 'total_tokens': 23, 'completion_tokens_details':"
                        + " {'reasoning_tokens': 10} | 9 | -1 | -1 | 14 | 10",
                "'prompt_tokens': 9, 'completion_tokens': 14, 'total_tokens': 23, 'completion_tokens_details':"
                        + " {'reasoning_tokens': 10} | 9 | -1 | -1 | 14 | 10",
                "'prompt_tokens': 9, 'completion_tokens': 4, 'total_tokens': 18, 'cached_tokens': 5 | 9 | 5 | -1 | 4 | -1",
            })
    void areRead(String usage, long input, long cached, long written, long output, long reasoning) {
        String json = "{" + usage.replace('\'', '"') + "}";
        var expected = new TokenCounts(input, cached, written, output, reasoning);

        assertThat(told("{\"choices\": [], \"usage\": " + json + "}")).isEqualTo(expected);
        assertThat(told("{\"choices\": [{\"delta\": {}, \"usage\": " + json + "}]}"))
                .isEqualTo(expected);
        assertThat(told("{\"choices\": [], \"x_groq\": {\"usage\": " + json + "}}"))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "null"})
    void ofMessagesAreNotTakenBackByAZero(String later) {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.MESSAGES).stream();
        String frames =
                "data: {\"type\": \"message_start\", \"message\": {\"id\": \"m\", \"usage\": {\"input_tokens\": 15,"
                        + " \"cache_read_input_tokens\": 7, \"output_tokens\": 1}}}\n\n"
                        + "data: {\"type\": \"message_delta\", \"delta\": {}, \"usage\": {\"input_tokens\": " + later
                        + ", \"cache_read_input_tokens\": " + later + ", \"output_tokens\": 5}}\n\n";

        Recorded.translate(translator, Recorded.frames(frames.getBytes(StandardCharsets.UTF_8)));

        assertThat(translator.usage()).isEqualTo(new TokenCounts(22, 7, -1, 5, -1));
    }

    private static TokenCounts told(String json) {
        StreamTranslator translator = Recorded.streaming(Dialect.MESSAGES, Dialect.CHAT).stream();
        Recorded.translate(translator, Recorded.frames(("data: " + json + "\n\n").getBytes(StandardCharsets.UTF_8)));
        return translator.usage();
    }
}
