package io.millrace.server.mock;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The entries of a conversation so far, from a request of any dialect, in their order. */
final class Conversation {
    /** The kinds of entries. */
    enum Kind {
        USER,
        SAID,
        SEAL,
        CALL,
        RESULT
    }

    /**
     * One entry of a conversation.
     *
     * @param id the id of a call or its result; empty if the dialect has none
     * @param text the text, the seal, or the result
     */
    record Entry(Kind kind, String id, String text) {}

    private final List<Entry> entries = new ArrayList<>();

    private Conversation() {}

    static List<Entry> of(JsonNode request) {
        var conversation = new Conversation();
        request.path("messages").forEach(conversation::message);
        request.path("input").forEach(conversation::item);
        request.path("contents").forEach(conversation::content);
        return conversation.entries;
    }

    /** Adds a message of Chat Completions or Messages. */
    private void message(JsonNode message) {
        String role = message.path("role").asText();
        if (role.equals("tool")) {
            add(Kind.RESULT, message.path("tool_call_id").asText(), text(message.path("content")));
            return;
        }
        Kind said = role.equals("assistant") ? Kind.SAID : role.equals("user") ? Kind.USER : null;
        if (said == null) {
            return;
        }
        add(Kind.SEAL, "", message.path("reasoning_content").asText());
        var content = message.path("content");
        if (content.isTextual()) {
            add(said, "", content.asText());
        }
        content.forEach(block -> block(block, said));
        for (JsonNode call : message.path("tool_calls")) {
            add(Kind.CALL, call.path("id").asText(), "called");
        }
    }

    private void block(JsonNode block, Kind said) {
        switch (block.path("type").asText()) {
            case "text" -> add(said, "", block.path("text").asText());
            case "thinking" -> add(Kind.SEAL, "", block.path("signature").asText());
            case "tool_use" -> add(Kind.CALL, block.path("id").asText(), "called");
            case "tool_result" -> add(Kind.RESULT, block.path("tool_use_id").asText(), text(block.path("content")));
            default -> {}
        }
    }

    /** Adds an item of Responses. */
    private void item(JsonNode item) {
        String type = item.path("type").asText("message");
        if (type.equals("message")) {
            String role = item.path("role").asText();
            if (role.equals("assistant") || role.equals("user")) {
                add(role.equals("user") ? Kind.USER : Kind.SAID, "", text(item.path("content")));
            }
        } else if (type.equals("reasoning")) {
            add(Kind.SEAL, "", item.path("encrypted_content").asText());
        } else if (type.endsWith("_call_output")) {
            add(Kind.RESULT, item.path("call_id").asText(), text(item.path("output")));
        } else if (type.endsWith("_call")) {
            add(Kind.CALL, item.path("call_id").asText(), "called");
        }
    }

    /** Adds a turn of Gemini. */
    private void content(JsonNode content) {
        boolean model = content.path("role").asText().equals("model");
        for (JsonNode part : content.path("parts")) {
            add(Kind.SEAL, "", part.path("thoughtSignature").asText());
            if (part.has("functionCall")) {
                add(Kind.CALL, part.path("functionCall").path("id").asText(), "called");
            } else if (part.has("functionResponse")) {
                var response = part.path("functionResponse");
                add(Kind.RESULT, response.path("id").asText(), text(response.path("response")));
            } else if (!part.path("thought").asBoolean()) {
                add(model ? Kind.SAID : Kind.USER, "", part.path("text").asText());
            }
        }
    }

    private void add(Kind kind, String id, String text) {
        if (kind == Kind.RESULT || !text.isBlank()) {
            entries.add(new Entry(kind, id, text));
        }
    }

    /** The text of a value: the value itself, its parts, or the fields that contain results. */
    private static String text(JsonNode value) {
        if (value.isTextual()) {
            return value.asText();
        }
        for (String field : List.of("text", "output", "error")) {
            if (value.path(field).isTextual()) {
                return value.path(field).asText();
            }
        }
        var text = new StringBuilder();
        value.forEach(part -> text.append(part.isContainerNode() ? text(part) : ""));
        return text.toString();
    }
}
