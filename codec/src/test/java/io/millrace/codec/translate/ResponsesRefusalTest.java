package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A request that cannot be translated for a Responses client or upstream is refused with the client's name of the
 * field.
 */
class ResponsesRefusalTest {
    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "'previous_response_id': 'resp_1'                     | previous_response_id",
                "'conversation': {'id': 'conv_1'}                     | conversation",
                "'prompt': {'id': 'pmpt_1'}                           | prompt",
                "'background': true                                   | background",
                "'include': ['reasoning.encrypted_content', 'message.output_text.logprobs'] | include[1]",
                "'top_logprobs': 2                                    | top_logprobs",
                "'max_output_tokens': 'many'                          | max_output_tokens",
                "'tools': [{'type': 'function', 'name': 'f'}, {'type': 'file_search'}], 'tool_choice': {'type': 'file_search'} | tool_choice",
                "'tools': [{'type': 'custom'}]                        | tools[0].name",
                "'tools': [{'type': 'function'}]                      | tools[0].name",
                "'tool_choice': 'always'                              | tool_choice",
                "'tool_choice': {'type': 'file_search'}               | tool_choice",
                "'text': {'format': {'type': 'grammar'}}              | text.format.type",
                "'text': {'format': {'type': 'json_object'}}          | text.format",
            })
    void namesTheField(String setting, String param) {
        String body = "{'model': 'm', 'input': 'Hi', " + setting + "}";

        assertThat(Refusals.paramOf(Dialect.RESPONSES, Dialect.MESSAGES, body)).isEqualTo(param);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "{'role': 'tool', 'content': 'Hi'}                                 | input[1].role",
                "{'content': 'Hi'}                                                 | input[1].role",
                "{'role': 'user', 'content': [{'type': 'input_audio'}]}            | input[1].content[0].type",
                "{'role': 'user', 'content': [{'type': 'input_image', 'file_id': 'f'}]} | input[1].content[0].file_id",
                "{'role': 'user', 'content': [{'type': 'input_file', 'file_data': 'x y'}]} | input[1].content[0].file_data",
                "{'role': 'system', 'content': [{'type': 'input_image', 'image_url': 'https://x/a.png'}]} | input[1].content",
                "{'type': 'function_call', 'name': 'f', 'arguments': '{}'}         | input[1].call_id",
                "{'type': 'function_call_output', 'output': 'x'}                   | input[1].call_id",
                "{'type': 'compaction', 'encrypted_content': 'x'}                  | input[1].type",
                "{'type': 'not_invented_yet'}                                      | input[1].type",
                "{'type': 'custom_tool_call', 'call_id': 'c', 'input': 'x'}        | input[1].name",
                "{'type': 'item_reference', 'id': 'msg_1'}                         | input[1].id",
            })
    void namesTheItem(String item, String param) {
        String body = "{'model': 'm', 'input': [{'role': 'user', 'content': 'Hi'}, " + item + "]}";

        assertThat(Refusals.paramOf(Dialect.RESPONSES, Dialect.CHAT, body)).isEqualTo(param);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "'stop': ['END']          | stop",
                "'top_k': 5               | top_k",
                "'presence_penalty': 1    | presence_penalty",
                "'frequency_penalty': 1   | frequency_penalty",
            })
    void namesTheFieldThatTheUpstreamLacks(String setting, String param) {
        String body = "{'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}], " + setting + "}";

        assertThat(Refusals.paramOf(Dialect.CHAT, Dialect.RESPONSES, body)).isEqualTo(param);
    }

    @Test
    void needsModelAndInput() {
        assertThat(Refusals.paramOf(Dialect.RESPONSES, Dialect.CHAT, "{'input': 'Hi'}"))
                .isEqualTo("model");
        assertThat(Refusals.paramOf(Dialect.RESPONSES, Dialect.CHAT, "{'model': 'm'}"))
                .isEqualTo("input");
    }

    @Test
    void acceptsWhatSaysNothing() {
        String body = """
                {"model": "m", "input": [{"type": "item_reference", "id": "rs_1"}, {"role": "user", "content": "Hi"}],
                 "previous_response_id": null, "conversation": null, "background": false, "store": true, "top_logprobs": 0,
                 "truncation": "disabled", "tools": [], "tool_choice": "auto", "text": {"format": {"type": "text"}},
                 "reasoning": {"effort": null, "summary": null}, "include": null, "metadata": {}}""";

        ModelRequest request =
                ClientFormat.of(Dialect.RESPONSES).request(body.getBytes(StandardCharsets.UTF_8), "/v1/responses");

        assertThat(request.turns()).containsExactly(new Turn(Turn.Role.USER, List.of(new Part.Text("Hi"))));
        assertThat(request.thinking()).isNull();
        assertThat(request.format()).isNull();
    }
}
