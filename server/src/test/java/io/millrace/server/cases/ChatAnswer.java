package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;

/** A client of Chat Completions, with one choice. */
final class ChatAnswer extends ClientAnswer {
    private final Map<Integer, Call> byIndex = new TreeMap<>();

    @Override
    void onEvent(String name, String data) {
        if (data.strip().equals("[DONE]")) {
            ended = true;
            return;
        }
        if (ended) {
            faults.add("something behind [DONE]");
        }
        JsonNode chunk = json(data);
        if (isTold(chunk.path("error"))) {
            error = Json.text(chunk.get("error"));
            return;
        }
        readUsage(chunk.path("usage"));
        for (JsonNode choice : chunk.path("choices")) {
            if (choice.path("index").asInt(0) == 0) {
                readDelta(choice.path("delta"));
                stop = isTold(choice.path("finish_reason"))
                        ? choice.get("finish_reason").asText()
                        : stop;
            }
        }
    }

    private void readDelta(JsonNode delta) {
        text.append(delta.path("content").isTextual() ? delta.get("content").asText() : "");
        reasoning.append(delta.path("reasoning_content").asText(""));
        for (JsonNode fragment : delta.path("tool_calls")) {
            int index = fragment.path("index").asInt(0);
            JsonNode function = fragment.path("function");
            String arguments = function.path("arguments").asText("");
            Call begun = byIndex.get(index);
            if (begun == null) {
                begun = new Call(
                        fragment.path("id").asText(""), function.path("name").asText(""), "");
                if (begun.id().isEmpty() || begun.name().isEmpty()) {
                    faults.add("tool call " + index + " begins without an id or a name");
                }
            }
            byIndex.put(index, new Call(begun.id(), begun.name(), begun.arguments() + arguments));
        }
    }

    @Override
    void onStreamEnd() {
        calls.addAll(byIndex.values());
        if (error != null && ended) {
            faults.add("[DONE] behind an error");
        }
    }

    @Override
    void onWhole(JsonNode json) {
        JsonNode choice = json.path("choices").path(0);
        JsonNode message = choice.path("message");
        text.append(message.path("content").asText(""));
        reasoning.append(message.path("reasoning_content").asText(""));
        stop = choice.path("finish_reason").textValue();
        for (JsonNode call : message.path("tool_calls")) {
            JsonNode function = call.path("function");
            calls.add(new Call(
                    call.path("id").asText(""),
                    function.path("name").asText(""),
                    function.path("arguments").asText("")));
        }
        readUsage(json.path("usage"));
    }

    private void readUsage(JsonNode told) {
        usage("input", told.path("prompt_tokens"));
        usage("output", told.path("completion_tokens"));
        usage("cached", told.path("prompt_tokens_details").path("cached_tokens"));
        usage("reasoning", told.path("completion_tokens_details").path("reasoning_tokens"));
    }

    @Override
    JsonNode next(JsonNode before, JsonNode result) {
        ObjectNode next = copy(before);
        ArrayNode messages = (ArrayNode) next.get("messages");
        ObjectNode said = messages.addObject().put("role", "assistant").put("content", text.isEmpty() ? null : text());
        ArrayNode made = said.putArray("tool_calls");
        for (Call call : calls()) {
            made.addObject()
                    .put("id", call.id())
                    .put("type", "function")
                    .putObject("function")
                    .put("name", call.name())
                    .put("arguments", call.arguments());
            messages.addObject()
                    .put("role", "tool")
                    .put("tool_call_id", call.id())
                    .set("content", result);
        }
        return next;
    }
}
