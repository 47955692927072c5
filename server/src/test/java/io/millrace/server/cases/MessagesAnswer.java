package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A client of Messages: keeps the blocks as its SDK accumulates them. */
final class MessagesAnswer extends ClientAnswer {
    private static final Map<String, String> KINDS = Map.of(
            "text_delta", "text",
            "thinking_delta", "thinking",
            "signature_delta", "thinking",
            "input_json_delta", "tool_use");

    private final List<ObjectNode> blocks = new ArrayList<>();
    private final List<StringBuilder> inputs = new ArrayList<>();
    private final Set<Integer> open = new HashSet<>();
    private final Map<String, Long> counts = new LinkedHashMap<>();
    private boolean began;

    @Override
    void onEvent(String name, String data) {
        JsonNode event = json(data);
        String type = event.path("type").asText();
        if (!name.equals(type)) {
            faults.add("event '" + name + "' has data of type '" + type + "'");
        }
        if (ended) {
            faults.add(type + " behind message_stop");
        }
        switch (type) {
            case "message_start" -> {
                if (began) {
                    faults.add("two message_start");
                }
                began = true;
                readUsage(event.path("message").path("usage"));
            }
            case "ping" -> {}
            case "error" -> error = Json.text(event.path("error"));
            default -> onBlock(type, event);
        }
    }

    private void onBlock(String type, JsonNode event) {
        if (!began) {
            faults.add(type + " before message_start");
            return;
        }
        int index = event.path("index").asInt(-1);
        switch (type) {
            case "content_block_start" -> begin(index, copy(event.get("content_block")));
            case "content_block_delta" -> {
                if (open.contains(index)) {
                    add(blocks.get(index), inputs.get(index), event.path("delta"));
                } else {
                    faults.add("a delta for block " + index + ", which is not open");
                }
            }
            case "content_block_stop" -> {
                if (!open.remove(index)) {
                    faults.add("block " + index + " ends without being open");
                }
            }
            case "message_delta", "message_stop" -> finish(type, event);
            default -> {}
        }
    }

    private void begin(int index, ObjectNode block) {
        if (index != blocks.size()) {
            faults.add("block " + index + " is not the next");
            return;
        }
        text.append(
                block.path("type").asText().equals("text") ? block.path("text").asText("") : "");
        blocks.add(block);
        inputs.add(new StringBuilder());
        open.add(index);
    }

    private void add(ObjectNode block, StringBuilder input, JsonNode delta) {
        String type = delta.path("type").asText();
        String kind = KINDS.get(type);
        if (kind != null && !kind.equals(block.path("type").asText())) {
            faults.add(type + " in a block of " + block.path("type").asText());
        }
        switch (type) {
            case "text_delta" -> {
                text.append(delta.path("text").asText());
                append(block, "text", delta);
            }
            case "thinking_delta" -> {
                reasoning.append(delta.path("thinking").asText());
                append(block, "thinking", delta);
            }
            case "signature_delta" -> block.set("signature", delta.get("signature"));
            case "input_json_delta" -> input.append(delta.path("partial_json").asText());
            default -> {}
        }
    }

    private static void append(ObjectNode block, String key, JsonNode delta) {
        block.put(key, block.path(key).asText("") + delta.path(key).asText());
    }

    private void finish(String type, JsonNode event) {
        if (!open.isEmpty()) {
            faults.add(type + " while a block is open");
        }
        if (type.equals("message_stop")) {
            ended = true;
            return;
        }
        JsonNode reason = event.path("delta").path("stop_reason");
        stop = isTold(reason) ? reason.asText() : stop;
        readUsage(event.path("usage"));
    }

    @Override
    void onStreamEnd() {
        for (int i = 0; i < blocks.size(); i++) {
            ObjectNode block = blocks.get(i);
            if (block.path("type").asText().equals("tool_use")) {
                String input = inputs.get(i).isEmpty()
                        ? Json.text(block.path("input"))
                        : inputs.get(i).toString();
                addCall(block, input);
                block.set("input", Json.readOrNull(input));
            }
        }
        if (error == null && !ended) {
            faults.add("no message_stop");
        }
    }

    @Override
    void onWhole(JsonNode json) {
        for (JsonNode block : json.path("content")) {
            blocks.add(copy(block));
            switch (block.path("type").asText()) {
                case "text" -> text.append(block.path("text").asText());
                case "thinking" -> reasoning.append(block.path("thinking").asText());
                case "tool_use" -> addCall(block, Json.text(block.path("input")));
                default -> {}
            }
        }
        stop = json.path("stop_reason").textValue();
        readUsage(json.path("usage"));
    }

    private void addCall(JsonNode block, String input) {
        calls.add(new Call(block.path("id").asText(""), block.path("name").asText(""), input));
    }

    /** What is told later adds to, or replaces, what was told at the start. */
    private void readUsage(JsonNode told) {
        told.properties().forEach(field -> {
            if (field.getValue().isNumber()) {
                counts.put(field.getKey(), field.getValue().asLong());
            }
        });
        if (counts.isEmpty()) {
            return;
        }
        usage.put(
                "input",
                count("input_tokens") + count("cache_read_input_tokens") + count("cache_creation_input_tokens"));
        usage.put("output", counts.get("output_tokens"));
        usage.put("cached", counts.get("cache_read_input_tokens"));
        usage.put("written", counts.get("cache_creation_input_tokens"));
        usage("reasoning", told.path("output_tokens_details").path("thinking_tokens"));
    }

    private long count(String name) {
        return counts.getOrDefault(name, 0L);
    }

    @Override
    JsonNode next(JsonNode before, JsonNode result) {
        ObjectNode next = copy(before);
        ArrayNode messages = (ArrayNode) next.get("messages");
        messages.addObject().put("role", "assistant").putArray("content").addAll(blocks);
        ArrayNode results = messages.addObject().put("role", "user").putArray("content");
        for (Call call : calls) {
            results.addObject()
                    .put("type", "tool_result")
                    .put("tool_use_id", call.id())
                    .set("content", result);
        }
        return next;
    }
}
