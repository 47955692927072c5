package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Unknown fields are left out and reported to the client, unless the request is strict. */
class DroppedFieldsTest {
    private static final String MESSAGES = "{'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}], %s}";
    private static final String RESPONSES = "{'model': 'm', 'input': 'Hi', %s}";
    private static final String GEMINI = "{'contents': [{'parts': [{'text': 'Hi'}]}], %s}";

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "CHAT      | 'some_new_hint': 1                                       | some_new_hint            | some_new_hint",
                "CHAT      | 'some_new_hint': false                                   | some_new_hint            | some_new_hint",
                "CHAT      | 'reasoning': {'effort': 'low', 'depth': 1}               | reasoning.depth          | reasoning.depth",
                "CHAT      | 'tools': [{'type': 'web_search'}]                        | web_search               | tools[0].type",
                "MESSAGES  | 'some_new_hint': {'a': 1}                                | some_new_hint            | some_new_hint",
                "MESSAGES  | 'output_config': {'effort': 'low', 'mood': 'good'}       | output_config.mood       | output_config.mood",
                "MESSAGES  | 'tools': [{'type': 'mcp_toolset'}]                       | mcp_toolset              | tools[0].type",
                "MESSAGES  | 'mcp_servers': [{'url': 'https://x'}]                    | mcp_servers              | mcp_servers",
                "RESPONSES | 'some_new_hint': 'x'                                     | some_new_hint            | some_new_hint",
                "RESPONSES | 'include': ['some.new.detail']                           | include                  | include[0]",
                "RESPONSES | 'tools': [{'type': 'file_search'}]                       | file_search              | tools[0].type",
                "RESPONSES | 'tools': [{'type': 'shell', 'environment': {'type': 'container_auto'}}] | shell     | tools[0].type",
                "GEMINI    | 'someNewHint': 1                                         | someNewHint              | someNewHint",
                "GEMINI    | 'tools': [{'googleMaps': {}}]                            | googleMaps               | tools[0].googleMaps",
                "GEMINI    | 'generationConfig': {'someNewHint': 1}                   | generationConfig.someNewHint | generationConfig.someNewHint",
            })
    void tellsWhatItDoesNotKnowAndRefusesItWhereItIsStrict(Dialect client, String setting, String name, String path) {
        byte[] body = body(client, setting);

        for (Dialect upstream : Recorded.dialects()) {
            assertThat(Translation.of(client, upstream)
                            .request(body, Requests.path(client), null)
                            .dropped())
                    .containsExactly(new DroppedField(name, path));
            Translation strict = Translation.of(client, upstream).strict();
            assertThat(catchThrowableOfType(
                                    TranslationException.class, () -> strict.request(body, Requests.path(client), null))
                            .param())
                    .isEqualTo(path);
        }
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "CHAT      | 'some_new_hint': null, 'another': [], 'third': {}, 'service_tier': 'flex', 'provider': {'order': ['x']}",
                "CHAT      | 'usage': {'include': true}, 'include_reasoning': true, 'enable_thinking': false, 'store': true",
                "CHAT      | 'thinking': {'type': 'disabled'}, 'chat_template_kwargs': {'enable_thinking': false}",
                "MESSAGES  | 'mcp_servers': [], 'betas': ['x'], 'anthropic_version': 'v', 'fallbacks': 'default', 'container': null",
                "RESPONSES | 'client_metadata': {'a': 'b'}, 'truncation': 'auto', 'context_management': [{'type': 'compaction'}]",
                "RESPONSES | 'include': ['web_search_call.action.sources', 'reasoning.encrypted_content'], 'text': {'verbosity': 'low'}",
                "GEMINI    | 'generationConfig': {'speechConfig': {'languageCode': 'de'}}, 'toolConfig': {'retrievalConfig': {}}",
            })
    void dropsWhatAsksForNothingWithoutAWord(Dialect client, String setting) {
        TranslatedRequest request = Translation.of(client, Dialect.MESSAGES)
                .strict()
                .request(body(client, setting), Requests.path(client), null);

        assertThat(request.dropped()).isEmpty();
    }

    @Test
    void tellsNamesThatAreSafeShortAndFew() {
        StringBuilder settings = new StringBuilder("'a\\r\\nb: ü, c': 1, '" + "x".repeat(40_000) + "': 1");
        for (int i = 0; i < 1000; i++) {
            settings.append(", 'hint").append(i).append("': 1");
        }

        List<DroppedField> dropped = Translation.of(Dialect.CHAT, Dialect.MESSAGES)
                .request(body(Dialect.CHAT, settings.toString()), Requests.path(Dialect.CHAT), null)
                .dropped();

        assertThat(dropped).hasSize(Drops.MOST);
        assertThat(dropped.get(0).name()).isEqualTo("a__b:____c");
        assertThat(dropped).allSatisfy(field -> {
            assertThat(field.name()).matches("[A-Za-z0-9_.:-]{1,64}");
            assertThat(field.path()).hasSizeLessThan(100);
        });
    }

    @Test
    void tellsTheSameUnknownFieldOfManyPartsOnce() {
        String parts = "{'text': 'a', 'newHint': 1}, {'text': 'b', 'newHint': 1}";
        byte[] body = ("{'contents': [{'parts': [" + parts + "]}]}")
                .replace('\'', '"')
                .getBytes(StandardCharsets.UTF_8);

        assertThat(Translation.of(Dialect.GEMINI, Dialect.CHAT)
                        .request(body, Requests.path(Dialect.GEMINI), null)
                        .dropped())
                .containsExactly(new DroppedField("contents.parts.newHint", "contents[0].parts[0].newHint"));
    }

    private static byte[] body(Dialect client, String setting) {
        String form = client == Dialect.GEMINI ? GEMINI : client == Dialect.RESPONSES ? RESPONSES : MESSAGES;
        return form.formatted(setting).replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }
}
