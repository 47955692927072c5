package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the tools that the provider runs in an answer of Messages: a block that calls the tool, and a block with the
 * result.
 */
final class MessagesHosted {
    /** The calls without a result so far, by their ids. */
    private final Map<String, Asked> asked = new HashMap<>();

    private long chars;

    /** The name and the input of a call. */
    private record Asked(String name, ObjectNode input) {}

    long heldChars() {
        return chars;
    }

    /** A block that calls a tool is complete. */
    void ask(String id, String name, String input) {
        chars += input.length();
        ObjectNode read = Json.parseObject(input);
        asked.put(id, new Asked(name, read == null ? Json.object() : read));
    }

    /** The use that a block of results completes; null if other providers do not have such a tool. */
    Part.@Nullable HostedUse result(JsonNode block) {
        Asked ask = asked.remove(Json.text(block, "tool_use_id"));
        JsonNode content = block.path("content");
        boolean failed = Json.text(content, "type").endsWith("_error");
        if (ask == null) {
            return null;
        }
        return switch (ask.name()) {
            case "web_search" ->
                new Part.HostedUse(
                        HostedKind.WEB_SEARCH, Json.text(ask.input(), "query"), sources(content), "", failed);
            case "web_fetch" ->
                new Part.HostedUse(HostedKind.WEB_FETCH, Json.text(ask.input(), "url"), List.of(), "", failed);
            case "code_execution", "bash_code_execution", "text_editor_code_execution" ->
                new Part.HostedUse(HostedKind.CODE, code(ask.input()), List.of(), output(content), failed);
            default -> null;
        };
    }

    private static List<Part.Source> sources(JsonNode content) {
        List<Part.Source> sources = new ArrayList<>();
        for (JsonNode result : content) {
            String url = Json.text(result, "url");
            if (!url.isEmpty()) {
                sources.add(new Part.Source(url, Json.text(result, "title")));
            }
        }
        return sources;
    }

    private static String code(ObjectNode input) {
        for (String key : List.of("code", "command")) {
            if (input.size() == 1 && input.path(key).isTextual()) {
                return input.get(key).textValue();
            }
        }
        return input.toString();
    }

    private static String output(JsonNode content) {
        return Json.text(content, "stdout") + Json.text(content, "stderr");
    }

    /** The tool's name in the block of the call, or the type of the block with the result. */
    static void putAsk(JsonText json, String id, Part.HostedUse use, boolean whole) {
        json.put("type", "server_tool_use").put("id", id).put("name", use.kind().toolName());
        json.putJson("input", whole ? input(use) : "{}");
    }

    static String input(Part.HostedUse use) {
        String key = switch (use.kind()) {
            case WEB_SEARCH -> "query";
            case WEB_FETCH -> "url";
            case CODE, OTHER -> "code";
        };
        return Json.object().put(key, use.input()).toString();
    }

    /** Puts the result of another provider's tool. Fields that only Anthropic can encrypt are empty. */
    static void putResult(JsonText json, String id, Part.HostedUse use) {
        String name = use.kind().toolName();
        json.put("type", name + "_tool_result").put("tool_use_id", id);
        if (use.failed()) {
            json.object("content")
                    .put("type", name + "_tool_result_error")
                    .put("error_code", "unavailable")
                    .endObject();
            return;
        }
        switch (use.kind()) {
            case WEB_SEARCH -> {
                json.array("content");
                for (Part.Source source : use.sources()) {
                    json.object().put("type", "web_search_result").put("url", source.url());
                    json.put("title", source.title())
                            .put("encrypted_content", "")
                            .putNull("page_age")
                            .endObject();
                }
                json.endArray();
            }
            case WEB_FETCH -> {
                json.object("content").put("type", "web_fetch_result").put("url", use.input());
                json.putNull("retrieved_at").object("content").put("type", "document");
                json.object("source").put("type", "text").put("media_type", "text/plain");
                json.put("data", "").endObject().putNull("title").putNull("citations");
                json.endObject().endObject();
            }
            case CODE, OTHER -> {
                json.object("content").put("type", "code_execution_result").put("stdout", use.output());
                json.put("stderr", "").put("return_code", 0).array("content").endArray();
                json.endObject();
            }
        }
    }

    static void putCitation(JsonText json, Part.Citation citation) {
        json.put("type", "web_search_result_location")
                .put("cited_text", citation.quote())
                .put("url", citation.url())
                .put("title", citation.title())
                .put("encrypted_index", "");
    }
}
