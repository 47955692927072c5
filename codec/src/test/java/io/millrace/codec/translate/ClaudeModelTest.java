package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each Claude gets only the fields that its version accepts. */
class ClaudeModelTest {
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        // model, thinks, adapts, takes budgets, samples, samples one way
        "claude-2.1, false, false, false, true, false",
        "claude-instant-1.2, false, false, false, true, false",
        "claude-3-opus-20240229, false, false, false, true, false",
        "claude-3-5-sonnet-latest, false, false, false, true, false",
        "claude-3-7-sonnet-20250219, true, false, true, true, false",
        "claude-opus-4-20250514, true, false, true, true, false",
        "claude-opus-4-1-20250805, true, false, true, true, true",
        "anthropic/claude-sonnet-4.5, true, false, true, true, true",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0, true, false, true, true, true",
        "claude-haiku-4-5@20251001, true, false, true, true, true",
        "claude-sonnet-4-6, true, true, true, true, true",
        "claude-opus-4-6[1m], true, true, true, true, true",
        "claude-opus-4-7, true, true, false, false, true",
        "claude-opus-4-10-20270101, true, true, false, false, true",
        "claude-sonnet-5, true, true, false, false, true",
        "claude-some-preview, true, true, false, false, true",
        "some-model, true, true, true, true, false",
    })
    void knowsWhatAModelTakes(
            String name, boolean thinks, boolean adapts, boolean budgets, boolean samples, boolean oneWay) {
        ClaudeModel model = ClaudeModel.of(name);

        assertThat(model.thinks()).isEqualTo(thinks);
        assertThat(model.adapts()).isEqualTo(adapts);
        assertThat(model.takesBudget()).isEqualTo(budgets);
        assertThat(model.samples()).isEqualTo(samples);
        assertThat(model.samplesOneWay()).isEqualTo(oneWay);
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "claude-haiku-4-5  | 'reasoning_effort': 'medium' | {'type':'enabled','budget_tokens':8192} |",
                "claude-haiku-4-5  | 'reasoning_effort': 'high', 'max_tokens': 2000 | {'type':'enabled','budget_tokens':1999} |",
                "claude-haiku-4-5  | 'reasoning_effort': 'high', 'max_tokens': 500 | |",
                "claude-3-5-haiku  | 'reasoning_effort': 'high' | |",
                "claude-3-5-haiku  | 'reasoning_effort': 'none' | |",
                "claude-sonnet-4-6 | 'reasoning_effort': 'minimal' | {'type':'adaptive'} | low",
                "claude-sonnet-4-6 | 'reasoning': {'max_tokens': 3000} | {'type':'enabled','budget_tokens':3000} |",
                "claude-opus-4-8   | 'reasoning': {'max_tokens': 3000} | {'type':'adaptive'} | low",
                "claude-opus-4-8   | 'thinking': {'type': 'enabled', 'budget_tokens': 30000} | {'type':'adaptive'} | high",
                "claude-opus-4-8   | 'enable_thinking': false | {'type':'disabled'} |",
                "claude-opus-4-8   | 'reasoning_effort': 'high', 'tool_choice': 'required' | | high",
            })
    void asksForThinking(String model, String setting, String thinking, String effort) {
        JsonNode sent = sent(model, setting);

        assertThat(sent.get("thinking"))
                .isEqualTo(thinking == null ? null : Json.parseObject(thinking.replace('\'', '"')));
        assertThat(sent.at("/output_config/effort").textValue()).isEqualTo(effort);
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "claude-opus-4-7   | 'temperature': 0.2, 'top_p': 0.9, 'top_k': 5 | {}",
                "claude-sonnet-4-5 | 'temperature': 0.7, 'top_p': 1 | {'temperature':0.7}",
                "claude-sonnet-4-5 | 'temperature': 0.7, 'top_p': 0.9 | {'temperature':0.7}",
                "claude-sonnet-4-5 | 'temperature': 1, 'top_p': 0.9, 'top_k': 5 | {'top_p':0.9,'top_k':5}",
                "claude-sonnet-4-5 | 'temperature': 1.7 | {'temperature':1}",
                "claude-3-5-sonnet | 'temperature': 0.7, 'top_p': 0.9 | {'temperature':0.7,'top_p':0.9}",
                "claude-sonnet-4-6 | 'temperature': 0.1, 'top_k': 5, 'reasoning_effort': 'high' | {}",
                "claude-sonnet-4-6 | 'top_p': 0.97, 'reasoning_effort': 'high' | {'top_p':0.97}",
                "claude-sonnet-4-6 | 'temperature': 0.1, 'reasoning_effort': 'high', 'tool_choice': 'required' | {'temperature':0.1}",
            })
    void samplesAsTheModelTakesIt(String model, String setting, String sampling) {
        var chosen = Json.object();
        JsonNode sent = sent(model, setting);
        for (String key : new String[] {"temperature", "top_p", "top_k"}) {
            if (sent.has(key)) {
                chosen.set(key, sent.get(key));
            }
        }

        assertThat(chosen.toString()).isEqualTo(sampling.replace('\'', '"'));
    }

    private static JsonNode sent(String model, String setting) {
        String body = "{'model': '" + model + "', 'messages': [{'role': 'user', 'content': 'Hi'}], "
                + "'tools': [{'type': 'function', 'function': {'name': 'f'}}], " + setting + "}";
        byte[] sent = Translation.of(Dialect.CHAT, Dialect.MESSAGES)
                .request(body.replace('\'', '"').getBytes(StandardCharsets.UTF_8), Requests.path(Dialect.CHAT), null)
                .body();
        return Json.parseObject(sent, 0, sent.length);
    }
}
