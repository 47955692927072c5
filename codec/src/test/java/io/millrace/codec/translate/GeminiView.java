package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;

/** A client of Gemini. It accepts only data lines with CRLF. */
final class GeminiView extends ClientView {
    private String code;

    @Override
    String finishOf(StopReason reason) {
        if (reason == null) {
            return "OTHER";
        }
        return switch (reason) {
            case END, STOP_SEQUENCE, TOOL_CALLS, OTHER -> "STOP";
            case LENGTH, CONTEXT_FULL -> "MAX_TOKENS";
            case CONTENT_FILTER, REFUSAL -> "SAFETY";
            case PAUSE, STOPPED -> "OTHER";
        };
    }

    @Override
    void frame(String frame) {
        assertThat(frame).matches("data: [^\\r\\n]+\r\n\r\n");
        super.frame(frame);
    }

    @Override
    void done() {
        throw new AssertionError("Gemini has no [DONE]");
    }

    @Override
    void read(String type, JsonNode json) {
        if (json.has("error")) {
            error = json.at("/error/message").asText();
            assertThat(json.at("/error/code").asInt()).isBetween(400, 599);
            ended = true;
            return;
        }
        assertThat(json.get("modelVersion").asText()).isNotEmpty();
        JsonNode candidate = json.get("candidates").get(0);
        assertThat(candidate.at("/content/role").asText()).isEqualTo("model");
        for (JsonNode part : candidate.at("/content/parts")) {
            readPart(part);
        }
        JsonNode grounding = candidate.path("groundingMetadata");
        grounding.path("webSearchQueries").forEach(query -> uses.add("search: " + query.textValue()));
        for (JsonNode support : grounding.path("groundingSupports")) {
            int chunk = support.get("groundingChunkIndices").get(0).asInt();
            JsonNode segment = support.get("segment");
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            citations.add(
                    grounding.get("groundingChunks").get(chunk).at("/web/uri").textValue() + " "
                            + codePoints(bytes, segment.get("startIndex").asInt()) + "-"
                            + codePoints(bytes, segment.get("endIndex").asInt()));
        }
        candidate
                .at("/urlContextMetadata/urlMetadata")
                .forEach(page -> uses.add("page: " + page.get("retrievedUrl").textValue()));
        JsonNode usage = json.path("usageMetadata");
        if (usage.isObject()) {
            input = usage.get("promptTokenCount").asLong();
            cached = usage.path("cachedContentTokenCount").asLong(-1);
            output = usage.get("candidatesTokenCount").asLong()
                    + usage.path("thoughtsTokenCount").asLong();
            assertThat(usage.get("totalTokenCount").asLong()).isEqualTo(input + output);
        }
        if (candidate.has("finishReason")) {
            finish = candidate.get("finishReason").asText();
            ended = true;
        }
    }

    private static int codePoints(byte[] bytes, int end) {
        String before = new String(bytes, 0, end, StandardCharsets.UTF_8);
        return before.codePointCount(0, before.length());
    }

    private void readPart(JsonNode part) {
        if (part.has("functionCall")) {
            JsonNode call = part.get("functionCall");
            Call made = new Call(call.get("id").asText(), call.get("name").asText());
            assertThat(call.get("args").isObject()).isTrue();
            made.arguments.append(call.get("args"));
            calls.add(made);
        } else if (part.has("executableCode")) {
            code = part.at("/executableCode/code").textValue();
        } else if (part.has("codeExecutionResult")) {
            uses.add("code: " + code + " = "
                    + part.at("/codeExecutionResult/output").textValue());
        } else {
            (part.path("thought").asBoolean() ? reasoning : text)
                    .append(part.get("text").asText());
        }
    }
}
