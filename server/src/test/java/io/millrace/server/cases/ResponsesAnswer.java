package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A client of Responses: items open and close in order, and the terminal repeats what was streamed. */
final class ResponsesAnswer extends ClientAnswer {
    private static final List<String> REQUIRED = List.of("id", "object", "created_at", "model", "output");

    private static final class Item {
        private final String id;
        private boolean open = true;

        private Item(String id) {
            this.id = id;
        }
    }

    private final List<Item> streamed = new ArrayList<>();
    private final Map<Integer, StringBuilder> arguments = new HashMap<>();
    private final StringBuilder streamedText = new StringBuilder();
    private JsonNode items = Json.MAPPER.createArrayNode();
    private long sequenceNumber = -1;

    @Override
    void onEvent(String name, String data) {
        JsonNode event = json(data);
        String type = event.path("type").asText();
        checkOrder(name, type, event.path("sequence_number"));
        switch (type) {
            case "response.output_item.added" -> add(event);
            case "response.output_item.done" -> {
                Item item = itemOf(event, "done");
                if (item != null) {
                    item.open = false;
                }
            }
            case "response.completed", "response.incomplete" -> {
                ended = true;
                onWhole(event.path("response"));
                checkTerminal();
            }
            case "error", "response.failed" -> error = data;
            default -> {
                if (event.has("item_id")) {
                    onInner(type, event);
                }
            }
        }
    }

    private void checkOrder(String name, String type, JsonNode number) {
        if (!name.equals(type)) {
            faults.add("event '" + name + "' has data of type '" + type + "'");
        }
        if (number.isNumber()) {
            if (number.asLong() <= sequenceNumber) {
                faults.add("sequence number " + number + " after " + sequenceNumber);
            }
            sequenceNumber = number.asLong();
        }
        if (ended) {
            faults.add(type + " behind the terminal");
        }
    }

    private void add(JsonNode event) {
        if (event.path("output_index").asInt(-1) != streamed.size()) {
            faults.add("item " + event.path("output_index") + " is not the next");
        }
        streamed.add(new Item(event.path("item").path("id").textValue()));
    }

    private void onInner(String type, JsonNode event) {
        Item item = itemOf(event, type);
        if (item != null && !event.get("item_id").asText().equals(item.id)) {
            faults.add(type + " for another item than the open one");
        }
        String delta = event.path("delta").asText("");
        if (type.equals("response.output_text.delta")) {
            streamedText.append(delta);
        } else if (type.equals("response.function_call_arguments.delta")) {
            arguments
                    .computeIfAbsent(event.path("output_index").asInt(), i -> new StringBuilder())
                    .append(delta);
        }
    }

    /** The open item that the event is about, or null and a fault. */
    private Item itemOf(JsonNode event, String what) {
        int index = event.path("output_index").asInt(-1);
        if (index < 0 || index >= streamed.size() || !streamed.get(index).open) {
            faults.add(what + " for item " + index + ", which is not open");
            return null;
        }
        return streamed.get(index);
    }

    private void checkTerminal() {
        if (streamed.stream().anyMatch(item -> item.open)) {
            faults.add("the terminal comes while an item is open");
        }
        if (!streamedText.toString().contentEquals(text)) {
            faults.add("the terminal's text is not the streamed text");
        }
        for (int i = 0; i < items.size(); i++) {
            JsonNode item = items.get(i);
            String came = arguments.getOrDefault(i, new StringBuilder()).toString();
            boolean isCall = item.path("type").asText().equals("function_call");
            if (isCall && !came.equals(item.path("arguments").asText())) {
                faults.add("the terminal's arguments are not those streamed");
            }
        }
    }

    @Override
    void onStreamEnd() {
        if (!ended && error == null) {
            faults.add("no terminal");
        }
    }

    @Override
    void onWhole(JsonNode response) {
        items = response.path("output");
        items.forEach(this::readItem);
        String reason = response.path("incomplete_details").path("reason").textValue();
        stop = response.path("status").asText() + (reason == null ? "" : ":" + reason);
        JsonNode told = response.path("usage");
        usage("input", told.path("input_tokens"));
        usage("output", told.path("output_tokens"));
        usage("cached", told.path("input_tokens_details").path("cached_tokens"));
        usage("reasoning", told.path("output_tokens_details").path("reasoning_tokens"));
        for (String key : REQUIRED) {
            JsonNode value = response.path(key);
            if (value.isMissingNode()
                    || value.isNull()
                    || (value.isTextual() && value.asText().isEmpty())) {
                faults.add("the response has no " + key);
            }
        }
    }

    private void readItem(JsonNode item) {
        switch (item.path("type").asText()) {
            case "message" -> {
                for (JsonNode part : item.path("content")) {
                    String said = part.path("text").asText("");
                    text.append(said.isEmpty() ? part.path("refusal").asText("") : said);
                }
            }
            case "reasoning" ->
                item.path("summary")
                        .forEach(part -> reasoning.append(part.path("text").asText("")));
            case "function_call" -> addCall(item, "arguments");
            case "custom_tool_call" -> addCall(item, "input");
            default -> {}
        }
    }

    private void addCall(JsonNode item, String key) {
        calls.add(new Call(
                item.path("call_id").asText(""),
                item.path("name").asText(""),
                item.path(key).asText("")));
    }

    @Override
    JsonNode next(JsonNode before, JsonNode result) {
        ObjectNode next = copy(before);
        ArrayNode input = Json.MAPPER.createArrayNode();
        if (next.get("input").isTextual()) {
            input.addObject().put("role", "user").set("content", next.get("input"));
        } else {
            input.addAll((ArrayNode) next.get("input"));
        }
        items.forEach(input::add);
        for (Call call : calls) {
            input.addObject()
                    .put("type", "function_call_output")
                    .put("call_id", call.id())
                    .set("output", result);
        }
        next.set("input", input);
        return next;
    }
}
