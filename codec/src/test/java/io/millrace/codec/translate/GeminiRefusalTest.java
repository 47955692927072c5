package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A request that cannot be translated for a Gemini client or upstream is refused with the client's name of the field.
 */
class GeminiRefusalTest {
    private static final String HI = "'contents': [{'parts': [{'text': 'Hi'}]}]";

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "'cachedContent': 'cachedContents/1'                              | cachedContent",
                "'tools': [{'googleMaps': {}}], 'toolConfig': {'functionCallingConfig': {'mode': 'ANY'}} | toolConfig.functionCallingConfig",
                "'tools': [{'function_declarations': [{}]}]                       | tools[0].functionDeclarations[0].name",
                "'toolConfig': {'functionCallingConfig': {'mode': 'SOME'}}        | toolConfig.functionCallingConfig.mode",
                "'generationConfig': {'candidateCount': 2}                        | generationConfig.candidateCount",
                "'generationConfig': {'responseModalities': ['TEXT', 'IMAGE']}    | generationConfig.responseModalities",
                "'generationConfig': {'responseLogprobs': true}                   | generationConfig.responseLogprobs",
                "'continuationToken': 'x'                                          | continuationToken",
                "'generationConfig': {'responseMimeType': 'text/x.enum'}          | generationConfig.responseMimeType",
                "'generationConfig': {'maxOutputTokens': 'many'}                  | generationConfig.maxOutputTokens",
                "'generationConfig': {'presence_penalty': 1}                      | generationConfig.presencePenalty",
            })
    void namesTheField(String setting, String param) {
        assertThat(Refusals.paramOf(Dialect.GEMINI, Dialect.MESSAGES, "{" + HI + ", " + setting + "}"))
                .isEqualTo(param);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "'role': 'assistant', 'parts': []                                             | contents[0].role",
                "'parts': [{'holograms': [1]}]                                                | contents[0].parts[0].holograms",
                "'role': 'model', 'parts': [{'functionCall': {'name': 'f', 'willContinue': true}}] | contents[0].parts[0].functionCall.willContinue",
                "'parts': [{'inlineData': {'mimeType': 'audio/wav', 'data': 'x'}}]            | contents[0].parts[0].inlineData.mimeType",
                "'parts': [{'inlineData': {'mimeType': 'image/png'}}]                         | contents[0].parts[0].inlineData.data",
                "'parts': [{'fileData': {'mimeType': 'image/png', 'fileUri': 'gs://b/a.png'}}] | contents[0].parts[0].fileData.fileUri",
            })
    void namesThePart(String content, String param) {
        assertThat(Refusals.paramOf(Dialect.GEMINI, Dialect.CHAT, "{'contents': [{" + content + "}]}"))
                .isEqualTo(param);
    }

    @Test
    void namesWhatThePathLacks() {
        String body = "{" + HI + "}";

        assertThat(Refusals.paramOf(Dialect.GEMINI, Dialect.CHAT, "/v1beta/models/m:streamGenerateContent", body))
                .isEqualTo("alt");
        assertThat(Refusals.paramOf(Dialect.GEMINI, Dialect.CHAT, "/v1beta/m:generateContent", body))
                .isEqualTo("model");
        assertThat(Refusals.paramOf(Dialect.GEMINI, Dialect.CHAT, "/models/%zz:generateContent", body))
                .isEqualTo("model");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "/v1beta/models/gemini-x:generateContent, gemini-x, false",
        "/v1beta/models/gemini-x:streamGenerateContent?key=k&alt=sse, gemini-x, true",
        "/v1/projects/p/locations/l/publishers/google/models/gemini-x%3AstreamGenerateContent?alt=sse, gemini-x, true",
        "/v1beta/models/llama3:8b:generateContent, llama3:8b, false",
        "/v1beta/models/meta%2Fllama+3:generateContent, meta/llama+3, false"
    })
    void findsTheModelInThePath(String path, String model, boolean stream) {
        GeminiPath parsed = GeminiPath.parse(path);

        assertThat(parsed).isEqualTo(new GeminiPath(model, stream));
        assertThat(GeminiPath.parse(parsed.write())).isEqualTo(parsed);
    }

    @Test
    void turnsSchemasOfGoogleIntoJsonSchemas() {
        String google = """
                {"type": "OBJECT", "propertyOrdering": ["a"], "properties": {"a": {"type": "ARRAY", "minItems": "2",
                 "items": {"anyOf": [{"type": "STRING", "nullable": true}, {"type": "NUMBER"}]}}}}""";

        assertThat(GeminiSchema.toJsonSchema(Json.parseObject(google))).isEqualTo(Json.parseObject("""
                {"type": "object", "properties": {"a": {"type": "array", "minItems": 2,
                 "items": {"anyOf": [{"type": ["string", "null"]}, {"type": "number"}]}}}}"""));
    }

    @Test
    void givesCallsTheSameIdsEachTime() {
        byte[] body = """
                {"contents": [{"parts": [{"text": "Hi"}]},
                 {"role": "model", "parts": [{"functionCall": {"name": "f"}}, {"functionCall": {"name": "g"}},
                   {"functionCall": {"name": "f"}}]},
                 {"parts": [{"functionResponse": {"name": "g", "response": {"output": 2}}},
                   {"functionResponse": {"name": "f", "response": {"name": "f", "content": "1"}}},
                   {"functionResponse": {"name": "f", "response": {"error": "3"}}}]}]}""".getBytes(StandardCharsets.UTF_8);

        ModelRequest request = ClientFormat.of(Dialect.GEMINI).request(body, Requests.path(Dialect.GEMINI));

        assertThat(request.turns().get(1).parts())
                .extracting(part -> ((Part.ToolCall) part).id())
                .containsExactly("call_0", "call_1", "call_2");
        assertThat(request.turns().get(2).parts())
                .extracting(Object::toString)
                .containsExactly(
                        "ToolResult[callId=call_1, content=[Text[text=2]], failed=false]",
                        "ToolResult[callId=call_0, content=[Text[text=1]], failed=false]",
                        "ToolResult[callId=call_2, content=[Text[text=3]], failed=true]");
    }
}
