package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Words have the same meaning in every dialect. */
class StopWordsTest {
    @ParameterizedTest
    @CsvSource({
        "stop, END",
        "STOP, END",
        "end, END",
        "end_turn, END",
        "eos_token, END",
        "stop_sequence, STOP_SEQUENCE",
        "length, LENGTH",
        "max_tokens, LENGTH",
        "MAX_TOKENS, LENGTH",
        "max-output-tokens, LENGTH",
        "max_new_tokens_reached, LENGTH",
        "token_limit, LENGTH",
        "CONTINUATION, LENGTH",
        "max_messages, LENGTH",
        "model_length, CONTEXT_FULL",
        "model_context_window_exceeded, CONTEXT_FULL",
        "context_length_exceeded, CONTEXT_FULL",
        "tool_calls, TOOL_CALLS",
        "tool_use, TOOL_CALLS",
        "tool-calls, TOOL_CALLS",
        "function_call, TOOL_CALLS",
        "content_filter, CONTENT_FILTER",
        "sensitive, CONTENT_FILTER",
        "SAFETY, CONTENT_FILTER",
        "guardrail_intervened, CONTENT_FILTER",
        "IMAGE_PROHIBITED_CONTENT, CONTENT_FILTER",
        "MODEL_ARMOR, CONTENT_FILTER",
        "refusal, REFUSAL",
        "pause_turn, PAUSE",
        "compaction, PAUSE",
        "steered, STOPPED",
        "ESCALATION, OTHER",
        "OTHER, OTHER",
        "zxw, OTHER",
    })
    void mean(String word, StopReason reason) {
        assertThat(StopWords.isFailure(word)).isFalse();
        assertThat(StopWords.meaning(word)).isEqualTo(reason);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "error",
                "network_error",
                "abort",
                "ABORTED",
                "failed",
                "cancelled",
                "timeout",
                "insufficient_system_resource",
                "MALFORMED_FUNCTION_CALL",
                "TOO_MANY_TOOL_CALLS",
                "NO_IMAGE",
                "engine_overloaded",
            })
    void fail(String word) {
        assertThat(StopWords.isFailure(word)).isTrue();
        for (Dialect client : Recorded.dialects()) {
            for (Dialect upstream : List.of(Dialect.CHAT, Dialect.MESSAGES, Dialect.GEMINI)) {
                assertThat(view(client, upstream, word, false).error).contains(word);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"zxw", "OTHER", "stop", "tool_calls", "tool_use"})
    void whatNobodyKnowsIsAPlainEndAndSoAreCallsThatAreNot(String word) {
        for (Dialect client : Recorded.dialects()) {
            for (Dialect upstream : List.of(Dialect.CHAT, Dialect.MESSAGES, Dialect.GEMINI)) {
                ClientView view = view(client, upstream, word, false);
                assertThat(view.finish).isEqualTo(view.finishOf(StopReason.END));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"zxw", "stop", "end_turn", "tool_use", "STOP", "function_call", ""})
    void callsWaitForToolsWhateverIsSaid(String word) {
        for (Dialect client : Recorded.dialects()) {
            ClientView view = view(client, Dialect.CHAT, word, true);
            assertThat(view.finish).isEqualTo(view.finishOf(StopReason.TOOL_CALLS));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"length", "content_filter", "MAX_TOKENS"})
    void butOfACutAnswer(String word) {
        for (Dialect client : Recorded.dialects()) {
            ClientView view = view(client, Dialect.CHAT, word, true);
            assertThat(view.finish).isEqualTo(view.finishOf(StopWords.meaning(word)));
        }
    }

    @ParameterizedTest
    @CsvSource({"max_output_tokens, LENGTH", "max_messages, LENGTH", "zxw, LENGTH", "content_filter, CONTENT_FILTER"})
    void anIncompleteResponseIsCut(String word, StopReason reason) {
        for (Dialect client : Recorded.dialects()) {
            ClientView view = read(
                    client,
                    Dialect.RESPONSES,
                    "data: {\"type\": \"response.incomplete\", \"response\": {\"incomplete_details\": {\"reason\": \""
                            + word + "\"}}}\n\n");
            assertThat(view.finish).isEqualTo(view.finishOf(reason));
        }
    }

    private static ClientView view(Dialect client, Dialect upstream, String word, boolean call) {
        String frames = switch (upstream) {
            case CHAT ->
                "data: {\"choices\": [{\"delta\": {"
                        + (call
                                ? "\"tool_calls\": [{\"id\": \"a\", \"function\": {\"name\": \"f\", \"arguments\": \"{}\"}}]"
                                : "")
                        + "}, \"finish_reason\": " + (word.isEmpty() ? "null" : "\"" + word + "\"")
                        + "}]}\n\ndata: [DONE]\n\n";
            case MESSAGES ->
                "data: {\"type\": \"message_delta\", \"delta\": {\"stop_reason\": \"" + word
                        + "\"}}\n\ndata: {\"type\": \"message_stop\"}\n\n";
            default -> "data: {\"candidates\": [{\"finishReason\": \"" + word + "\"}]}\n\n";
        };
        return read(client, upstream, frames);
    }

    private static ClientView read(Dialect client, Dialect upstream, String frames) {
        StreamTranslator translator = Recorded.streaming(client, upstream).stream();
        return ClientView.of(
                client, Recorded.translate(translator, Recorded.frames(frames.getBytes(StandardCharsets.UTF_8))));
    }
}
