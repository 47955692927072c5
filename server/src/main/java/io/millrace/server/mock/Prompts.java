package io.millrace.server.mock;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Set;

/** Reads the facts about the conversation from a request of any dialect. */
final class Prompts {
    private static final List<String> LIMITS =
            List.of("max_completion_tokens", "max_tokens", "max_output_tokens", "maxOutputTokens");

    private static final List<String> PROMPTS =
            List.of("messages", "input", "contents", "prompt", "system", "instructions", "systemInstruction");
    /** Fields of turns that a tokenizer does not read, or reads as a few marks. */
    private static final Set<String> NOT_SAID = Set.of(
            "role",
            "type",
            "id",
            "name",
            "status",
            "tool_call_id",
            "call_id",
            "tool_use_id",
            "signature",
            "data",
            "url");

    private Prompts() {}

    /** The text of the last turn that has text; empty if there is none. */
    static String last(JsonNode request) {
        for (String field : List.of("messages", "input", "contents", "prompt")) {
            var turns = request.path(field);
            if (turns.isTextual()) {
                return turns.asText();
            }
            for (int i = turns.size() - 1; i >= 0; i--) {
                String text = text(turns.get(i));
                if (!text.isBlank()) {
                    return text;
                }
            }
        }
        return "";
    }

    private static String text(JsonNode turn) {
        if (turn.isTextual()) {
            return turn.asText();
        }
        for (String field : List.of("content", "parts", "text")) {
            var content = turn.path(field);
            if (content.isTextual()) {
                return content.asText();
            }
            var text = new StringBuilder();
            content.forEach(part -> text.append(part.path("text").asText()));
            if (text.length() > 0) {
                return text.toString();
            }
        }
        return "";
    }

    /** The characters of all turns and instructions. */
    static int length(JsonNode request) {
        int length = 0;
        for (String field : PROMPTS) {
            length += textLength(request.path(field));
        }
        return length;
    }

    private static int textLength(JsonNode said) {
        if (said.isTextual()) {
            return said.textValue().length();
        }
        int length = 0;
        for (var field : said.properties()) {
            length += NOT_SAID.contains(field.getKey()) ? 0 : textLength(field.getValue());
        }
        if (said.isArray()) {
            for (JsonNode each : said) {
                length += textLength(each);
            }
        }
        return length;
    }

    /** Whether the last turn is the result of a tool. */
    static boolean hasToolResult(JsonNode request) {
        for (String field : List.of("messages", "input", "contents")) {
            var turns = request.path(field);
            if (turns.isArray() && !turns.isEmpty()) {
                return isToolResult(turns.get(turns.size() - 1));
            }
        }
        return false;
    }

    private static boolean isToolResult(JsonNode turn) {
        if (turn.path("role").asText().equals("tool")
                || turn.path("type").asText().equals("function_call_output")) {
            return true;
        }
        for (JsonNode part : turn.path(turn.has("parts") ? "parts" : "content")) {
            if (part.path("type").asText().equals("tool_result") || part.has("functionResponse")) {
                return true;
            }
        }
        return false;
    }

    /** The client's limit of output tokens; the largest number if there is none. */
    static int maxTokens(JsonNode request) {
        for (JsonNode holder : List.of(request, request.path("generationConfig"))) {
            for (String field : LIMITS) {
                if (holder.path(field).isInt()) {
                    return Math.max(0, holder.path(field).asInt());
                }
            }
        }
        return Integer.MAX_VALUE;
    }
}
