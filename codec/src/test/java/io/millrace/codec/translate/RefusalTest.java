package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A request that cannot be translated is refused with the client's name of the field. */
class RefusalTest {
    private static final String CHAT = "{\"model\": \"m\", \"messages\": [%s]%s}";
    private static final String MESSAGES = "{\"model\": \"m\", \"max_tokens\": 9, \"messages\": [%s]%s}";
    private static final String USER = "{\"role\": \"user\", \"content\": \"Hi\"}";

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "'n': 2                                             | n",
                "'logprobs': true                                   | logprobs",
                "'logit_bias': {'5': 1}                             | logit_bias",
                "'functions': [{'description': 'f'}]                | functions[0].name",
                "'function_call': {'name': 1}                       | function_call.name",
                "'top_logprobs': 2                                  | top_logprobs",
                "'repetition_penalty': 1.1                          | repetition_penalty",
                "'guided_json': {'type': 'object'}                  | guided_json",
                "'modalities': ['text', 'audio']                    | modalities",
                "'temperature': 'hot'                               | temperature",
                "'max_tokens': 1.5                                  | max_tokens",
                "'stream': 'yes'                                    | stream",
                "'stop': [1]                                        | stop[0]",
                "'tools': [{'type': 'custom'}]                      | tools[0].name",
                "'tools': [1]                                       | tools[0]",
                "'tools': {}                                        | tools",
                "'tool_choice': 'any'                               | tool_choice",
                "'tool_choice': {'type': 'allowed_tools'}           | tool_choice.mode",
                "'tool_choice': {'type': 'web_search'}              | tool_choice",
                "'tool_choice': 'required', 'tools': [{'type': 'mcp'}] | tool_choice",
                "'response_format': {'type': 'grammar'}             | response_format.type",
                "'response_format': {'type': 'json_object'}         | response_format",
                "'presence_penalty': 0.5                            | presence_penalty",
                "'frequency_penalty': -1                            | frequency_penalty",
            })
    void namesTheFieldOfChat(String setting, String param) {
        assertThat(refusal(Dialect.CHAT, CHAT.formatted(USER, ", " + quoted(setting))))
                .isEqualTo(param);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "{'role': 'function', 'content': ''}                                      | messages[0].name",
                "{'content': 'Hi'}                                                        | messages[0].role",
                "{'role': 'user', 'content': [{'type': 'input_audio'}]}                   | messages[0].content[0].type",
                "{'role': 'user', 'content': [{'type': 'image_url'}]}                     | messages[0].content[0].image_url",
                "{'role': 'user', 'content': [{'type': 'file', 'file': {'file_id': 'f'}}]} | messages[0].content[0].file.file_id",
                "{'role': 'tool', 'content': ''}                                          | messages[0].tool_call_id",
                "{'role': 'assistant', 'audio': {'id': 'a'}}                              | messages[0].audio",
                "{'role': 'assistant', 'tool_calls': [{'id': 'c', 'type': 'custom'}]}     | messages[0].tool_calls[0].custom",
            })
    void namesTheMessageOfChat(String message, String param) {
        assertThat(refusal(Dialect.CHAT, CHAT.formatted(quoted(message), ""))).isEqualTo(param);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "'tools': [{'type': 'web_search_20250305', 'name': 'w'}], 'tool_choice': {'type': 'tool', 'name': 'w'} | tool_choice",
                "'tools': [{'type': 'web_search_20250305'}], 'tool_choice': {'type': 'any'} | tool_choice",
                "'tool_choice': {'type': 'tool'}                        | tool_choice.name",
                "'thinking': {'type': 'sometimes'}                      | thinking.type",
                "'output_config': {'format': {'type': 'xml'}}           | output_config.format.type",
                "'system': [{'type': 'image'}]                          | system[0].type",
                "'container': 'c1'                                      | container",
                "'compaction': {'type': 'summary'}                       | compaction",
                "'thread': {'type': 'create'}                            | thread",
            })
    void namesTheFieldOfMessages(String setting, String param) {
        assertThat(refusal(Dialect.MESSAGES, MESSAGES.formatted(USER, ", " + quoted(setting))))
                .isEqualTo(param);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "{'type': 'not_invented_yet'}                                            | messages[0].content[0].type",
                "{'type': 'image', 'source': {'type': 'file'}}                           | messages[0].content[0].source.type",
                "{'type': 'tool_result', 'tool_use_id': 't', 'content': [{'type': 'thinking'}]} | messages[0].content[0].content[0].type",
                "{'type': 'document', 'source': {'type': 'url', 'url': 'https://x/a.pdf'}} | messages",
            })
    void namesTheBlockOfMessages(String block, String param) {
        String message = "{\"role\": \"user\", \"content\": [" + quoted(block) + "]}";
        assertThat(refusal(Dialect.MESSAGES, MESSAGES.formatted(message, ""))).isEqualTo(param);
    }

    @Test
    void namesNoFieldOfWhatIsNoObject() {
        assertThat(refusal(Dialect.CHAT, "[]")).isNull();
        assertThat(refusal(Dialect.MESSAGES, "{\"model\": ")).isNull();
    }

    @Test
    void needsModelAndMessages() {
        assertThat(refusal(Dialect.CHAT, "{\"messages\": []}")).isEqualTo("model");
        assertThat(refusal(Dialect.CHAT, "{\"model\": \"m\"}")).isEqualTo("messages");
        assertThat(refusal(Dialect.MESSAGES, "{\"model\": \"m\"}")).isEqualTo("messages");
    }

    @Test
    void refusesLegacyCompletions() {
        Translation translation = Translation.of(Dialect.CHAT, Dialect.MESSAGES);
        byte[] body = "{\"model\": \"m\", \"prompt\": \"Hi\"}".getBytes(StandardCharsets.UTF_8);

        TranslationException refusal = catchThrowableOfType(
                TranslationException.class,
                () -> translation.request(body, "/v1/completions?x=/chat/completions", null));

        assertThat(refusal.param()).isEqualTo("prompt");
    }

    @Test
    void saysTheFieldInTheClientsDialect() {
        TranslationException refusal = new TranslationException("n", "only one choice can be translated");

        assertThat(said(Dialect.CHAT, refusal))
                .contains("\"param\":\"n\"", "\"type\":\"invalid_request_error\"", "only one choice");
        assertThat(said(Dialect.MESSAGES, refusal))
                .contains("\"type\":\"invalid_request_error\"", "n: ", "only one choice", "\"request_id\":\"req_1\"");
    }

    @Test
    void acceptsWhatSaysNothing() {
        String settings =
                ", 'n': 1, 'logprobs': false, 'logit_bias': {}, 'functions': [], 'function_call': 'auto', 'modalities': ['text'], 'top_logprobs': 0, 'min_p': 0,"
                        + " 'repetition_penalty': 1.0, 'guided_json': null, 'not_invented_yet': null,"
                        + " 'presence_penalty': 0, 'response_format': {'type': 'text'}, 'tools': [], 'tool_choice': 'auto'";

        Translation.of(Dialect.CHAT, Dialect.MESSAGES)
                .request(
                        CHAT.formatted(USER, quoted(settings)).getBytes(StandardCharsets.UTF_8),
                        Requests.path(Dialect.CHAT),
                        null);
    }

    private static String said(Dialect client, TranslationException refusal) {
        byte[] body = Translation.of(client, Dialect.CHAT).refusal(refusal, "req_1");
        return new String(body, StandardCharsets.UTF_8);
    }

    /** The refused field of a request from Chat to Messages, or the reverse. */
    private static String refusal(Dialect client, String body) {
        Translation translation = Translation.of(client, client == Dialect.CHAT ? Dialect.MESSAGES : Dialect.CHAT);
        return catchThrowableOfType(
                        TranslationException.class,
                        () -> translation.request(body.getBytes(StandardCharsets.UTF_8), Requests.path(client), null))
                .param();
    }

    private static String quoted(String json) {
        return json.replace('\'', '"');
    }
}
