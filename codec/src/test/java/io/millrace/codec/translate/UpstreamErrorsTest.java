package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The messages of errors in the shapes of many servers. */
class UpstreamErrorsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "{'detail': 'not loaded'} | 500 | | not loaded",
                "{'detail': [{'loc': ['body', 'model'], 'msg': 'field required', 'type': 'missing'}]}"
                        + " | 500 | | body.model: field required",
                "{'detail': {'error': {'message': 'no such model'}}} | 500 | | no such model",
                "{'success': false, 'errors': [{'code': 7003, 'message': 'No route'}]} | 500 | | No route",
                "{'errors': ['one', 'two']} | 500 | | one; two",
                "{'error_code': 17, 'error_msg': 'Daily limit reached'} | 500 | | Daily limit reached",
                "{'error_type': 'BadRequestError', 'error_message': 'too long'} | 400 | BadRequestError | too long",
                "{'error': {'message': {'detail': 'deep'}, 'code': 400}} | 400 | | deep",
                "{'error': 'model is loading'} | 500 | | model is loading",
                "{'error': {'code': '429', 'message': 'Slow down'}} | 429 | | Slow down",
                "{'error': {'code': 429, 'message': 'Slow down'}} | 429 | | Slow down",
                "{'error': {'type': 'RateLimitError', 'message': 'Slow'}} | 429 | RateLimitError | Slow",
                "{'error': {'type': 'rate_limit', 'message': 'Slow'}} | 429 | rate_limit | Slow",
                "{'object': 'error', 'message': 'bad', 'type': 'BadRequestError', 'code': 400} | 400 | BadRequestError | bad",
                "{'error': {'message': 'Provider returned error', 'code': 400, 'metadata': {'raw':"
                        + " '{\\'error\\':{\\'message\\':\\'missing\\'}}'}}} | 400 | | Provider returned error: missing",
                "{'error': {'message': 'Provider returned error', 'metadata': {'raw': 'overloaded'}}}"
                        + " | 500 | | Provider returned error: overloaded",
                "{'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'busy'}} | 529 | overloaded_error | busy",
                "{'error': {'code': 400, 'message': 'prompt is too long: 9 > 8'}}"
                        + " | 400 | context_length_exceeded | prompt is too long: 9 > 8",
                "{'what': 'some words here'} | 500 | | some words here",
                "{'error': {}} | 500 | | the upstream failed",
            })
    void areFound(String json, int status, String code, String message) {
        String text = json.replace("\\'", "\\\"").replace('\'', '"');

        assertThat(UpstreamErrors.of(Json.parseObject(text))).isEqualTo(new ModelError(status, code, message));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data: {'error_type': 'server_error', 'error_message': 'it broke'}\n\n",
                "data: {'choices': null, 'object': 'error', 'message': 'it broke', 'code': 400}\n\n",
                "data: {'code': 500, 'message': 'it broke'}\n\n",
                "data: {'detail': 'it broke'}\n\n",
                "event: error\ndata: {'message': 'it broke'}\n\n",
                "data: {'message': 'it broke'}\nevent: error\n\n",
                "event: error\ndata: it broke\n\n",
                "data: {'choices': [{'delta': {}, 'finish_reason': 'error', 'error': {'code': 502, 'message': 'it broke'}}]}\n\n",
            })
    void areToldInAStreamWithoutAnErrorObject(String frame) {
        for (Dialect client : Recorded.dialects()) {
            assertThat(view(client, frame.replace('\'', '"')).error).contains("it broke");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "\"\"", "null", "false", "[]"})
    void areNotWhereTheErrorIsEmpty(String error) {
        for (Dialect client : Recorded.dialects()) {
            ClientView view = view(
                    client,
                    "data: {\"error\": " + error + ", \"choices\": [{\"delta\": {\"content\": \"Hi\"}, \"error\": "
                            + error + ", \"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n");

            assertThat(view.error).isNull();
            assertThat(view.text).hasToString("Hi");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "'0'", "200", "'ok'", "'Success'", "null"})
    void areNotWhereTheCodeIsThatOfSuccess(String code) {
        String good = "'code': " + code + ", 'message': 'Success'";
        String frames = "data: {" + good + ", 'choices': [{'delta': {'content': 'Hi'}, 'finish_reason': 'stop'}]}\n\n"
                + "data: {" + good + ", 'choices': [], 'usage': {'prompt_tokens': 1}}\n\ndata: [DONE]\n\n";
        for (Dialect client : Recorded.dialects()) {
            ClientView view = view(client, frames.replace('\'', '"'));

            assertThat(view.error).isNull();
            assertThat(view.text).hasToString("Hi");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 1}}\n\n", ": ping\n\n"})
    void anEndBeforeAnyChoiceIsOne(String before) {
        for (Dialect client : Recorded.dialects()) {
            ClientView view = view(client, before + "data: [DONE]\n\n");

            assertThat(view.error).contains("ended before it began");
            assertThat(view.finish).isNull();
        }
    }

    private static ClientView view(Dialect client, String frames) {
        StreamTranslator translator = Recorded.streaming(client, Dialect.CHAT).stream();
        return ClientView.of(
                client, Recorded.translate(translator, Recorded.frames(frames.getBytes(StandardCharsets.UTF_8))));
    }
}
