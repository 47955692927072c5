package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Reads Responses events and answers. Events are told apart by their {@code type}; what was not streamed is taken from the
 * item, or the response, that repeats it. Items of hosted tools are passed over: no translated request asks for any.
 */
final class ResponsesDeltaReader extends FrameReader {
    private final Map<Integer, Item> items = new HashMap<>();

    /** The ids of the calls that were told. */
    private final Set<String> callIds = new HashSet<>();

    private int callCount;
    private Item current;
    private boolean spoke;
    private boolean thought;

    /** What has been told of an output item. */
    private static final class Item {
        private int callIndex = -1;
        private String callId;
        private boolean custom;
        private boolean told;
        private boolean done;
        private long summaryIndex;
    }

    @Override
    void read(ObjectNode json, DeltaSink out) {
        switch (Json.text(json, "type")) {
            case "response.created", "response.in_progress" -> readHead(json.path("response"), out);
            case "response.output_item.added" -> readAdded(json, out);
            case "response.output_text.delta" -> {
                item(json).told = true;
                spoke = true;
                out.text(Json.text(json, "delta"));
            }
            case "response.refusal.delta" -> {
                item(json).told = true;
                spoke = true;
                out.refusal(Json.text(json, "delta"));
            }
            case "response.reasoning_summary_text.delta" -> readSummary(json, out);
            case "response.reasoning_text.delta" -> {
                item(json).told = true;
                thought = true;
                out.reasoning(Json.text(json, "delta"));
            }
            case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta" ->
                readArguments(item(json), Json.text(json, "delta"), out);
            case "response.output_item.done" -> readDone(item(json), json.path("item"), out);
            case "response.completed", "response.incomplete", "response.failed", "response.cancelled" ->
                readTerminal(json.path("response"), out);
            case "error" -> out.error(UpstreamErrors.of(json));
            default -> {
                if (has(json, "error")) {
                    out.error(UpstreamErrors.of(json));
                }
            }
        }
    }

    /** Some compatible servers send it behind their terminal; alone it proves nothing. */
    @Override
    void done(DeltaSink out) {}

    /** The terminal has ended the answer already; without it the stream is cut. */
    @Override
    public void finish(DeltaSink out) {}

    @Override
    void readAnswer(ObjectNode json, DeltaSink out) {
        if (has(json, "error") && !json.path("output").isArray()) {
            out.error(UpstreamErrors.of(json));
        } else if (!json.path("output").isArray()) {
            out.error(AnswerGrammar.garbled("it has no output"));
        } else {
            readTerminal(json, out);
        }
    }

    private static void readHead(JsonNode response, DeltaSink out) {
        out.start(
                Json.textOrNull(response, "id"),
                Json.textOrNull(response, "model"),
                Json.count(response, "created_at"));
    }

    private Item item(JsonNode json) {
        current = items.computeIfAbsent(json.path("output_index").asInt(0), index -> new Item());
        return current;
    }

    private void readAdded(JsonNode json, DeltaSink out) {
        Item item = item(json);
        JsonNode added = json.path("item");
        if (isCall(added)) {
            openCall(item, added, out);
            readArguments(item, Json.text(added, argumentsOf(item)), out);
        }
    }

    private static boolean isCall(JsonNode item) {
        String type = Json.text(item, "type");
        return type.equals("function_call") || type.equals("custom_tool_call");
    }

    private void openCall(Item item, JsonNode call, DeltaSink out) {
        if (item.callIndex < 0) {
            item.callIndex = callCount++;
            item.custom = Json.text(call, "type").equals("custom_tool_call");
            String id = Json.text(call, "call_id");
            item.callId = id;
            if (!id.isEmpty()) {
                callIds.add(id);
            }
            out.toolCall(item.callIndex, id.isEmpty() ? CallIds.fresh() : id, Json.text(call, "name"), null);
        }
    }

    private static String argumentsOf(Item item) {
        return item.custom ? "input" : "arguments";
    }

    /** The text of a custom tool's input becomes the string {@code input} of an object, since arguments are JSON. */
    private static void readArguments(Item item, String text, DeltaSink out) {
        if (item.callIndex < 0 || text.isEmpty()) {
            return;
        }
        if (item.custom) {
            String escaped = new JsonText()
                    .object()
                    .put("input", text)
                    .endObject()
                    .text()
                    .toString();
            String inner = escaped.substring("{\"input\":\"".length(), escaped.length() - "\"}".length());
            out.arguments(item.callIndex, item.told ? inner : "{\"input\":\"" + inner);
        } else {
            out.arguments(item.callIndex, text);
        }
        item.told = true;
    }

    /** Parts of a summary are paragraphs. */
    private void readSummary(JsonNode json, DeltaSink out) {
        Item item = item(json);
        long index = json.path("summary_index").asLong(0);
        if (item.told && index != item.summaryIndex) {
            out.reasoning("\n\n");
        }
        item.told = true;
        thought = true;
        item.summaryIndex = index;
        out.reasoning(Json.text(json, "delta"));
    }

    private void readDone(Item item, JsonNode done, DeltaSink out) {
        if (item.done) {
            return;
        }
        item.done = true;
        switch (Json.text(done, "type")) {
            case "message" -> {
                spoke = true;
                readMessage(item, done, out);
            }
            case "reasoning" -> {
                thought = true;
                readReasoning(item, done, out);
            }
            case "function_call", "custom_tool_call" -> {
                openCall(item, done, out);
                if (!item.told) {
                    readArguments(item, Json.text(done, argumentsOf(item)), out);
                }
                if (item.custom) {
                    out.arguments(item.callIndex, item.told ? "\"}" : "{\"input\":\"\"}");
                }
                out.toolCallEnd(item.callIndex);
            }
            default -> item.told = true;
        }
    }

    private static void readMessage(Item item, JsonNode message, DeltaSink out) {
        if (!item.told) {
            for (JsonNode part : message.path("content")) {
                out.text(Json.text(part, "text"));
                out.refusal(Json.text(part, "refusal"));
            }
        }
    }

    private static void readReasoning(Item item, JsonNode reasoning, DeltaSink out) {
        if (!item.told) {
            String between = "";
            for (String key : new String[] {"summary", "content"}) {
                for (JsonNode part : reasoning.path(key)) {
                    out.reasoning(between);
                    out.reasoning(Json.text(part, "text"));
                    between = "\n\n";
                }
            }
        }
        String encrypted = Json.text(reasoning, "encrypted_content");
        String id = Json.text(reasoning, "id");
        out.reasoningEnd(encrypted.isEmpty() ? null : new Seal(Dialect.RESPONSES, id.replace('.', '_'), encrypted));
    }

    private void readTerminal(JsonNode response, DeltaSink out) {
        String status = Json.text(response, "status");
        switch (status) {
            case "completed", "incomplete" -> readEnd(response, status, out);
            case "failed", "cancelled" -> out.error(failure(response, status));
            default -> out.error(AnswerGrammar.garbled("its last event holds no response that is over"));
        }
    }

    private void readEnd(JsonNode response, String status, DeltaSink out) {
        readHead(response, out);
        readOutput(response.path("output"), out);
        readUsage(response.path("usage"), out);
        out.stop(stopReason(response, status), null);
        out.end();
    }

    /**
     * Tells what was not streamed. Servers that leave out or miscount {@code output_index} must not have anything told
     * twice: text and reasoning is taken only where none was streamed, calls where their id is new.
     */
    private void readOutput(JsonNode output, DeltaSink out) {
        boolean spoken = spoke;
        boolean reasoned = thought;
        endCurrent(output, out);
        int index = 0;
        for (JsonNode done : output) {
            Item item = items.get(index++);
            boolean known = isCall(done)
                    ? (item != null && item.callIndex >= 0) || callIds.contains(Json.text(done, "call_id"))
                    : item != null || (isMessage(done) ? spoken : reasoned);
            if (!known) {
                readDone(new Item(), done, out);
            }
        }
    }

    /** Of the calls that have begun, the last may yet be open. */
    private void endCurrent(JsonNode output, DeltaSink out) {
        if (current != null && current.callIndex >= 0) {
            for (JsonNode done : output) {
                if (isCall(done) && Json.text(done, "call_id").equals(current.callId)) {
                    readDone(current, done, out);
                }
            }
        }
    }

    private static boolean isMessage(JsonNode item) {
        return Json.text(item, "type").equals("message");
    }

    private static ModelError failure(JsonNode response, String status) {
        ObjectNode error = Json.object();
        error.set(
                "error",
                has(response, "error") ? response.get("error") : Json.object().put("code", status));
        return UpstreamErrors.of(error);
    }

    private StopReason stopReason(JsonNode response, String status) {
        if (status.equals("completed")) {
            return callCount > 0 ? StopReason.TOOL_CALLS : StopReason.END;
        }
        return switch (Json.text(response.path("incomplete_details"), "reason")) {
            case "max_output_tokens" -> StopReason.LENGTH;
            case "content_filter" -> StopReason.CONTENT_FILTER;
            case "stopped" -> StopReason.STOPPED;
            default -> StopReason.OTHER;
        };
    }

    private static void readUsage(JsonNode usage, DeltaSink out) {
        if (usage.isObject()) {
            out.usage(new TokenCounts(
                    Json.count(usage, "input_tokens"),
                    Json.count(usage.path("input_tokens_details"), "cached_tokens"),
                    Json.count(usage.path("input_tokens_details"), "cache_write_tokens"),
                    Json.count(usage, "output_tokens"),
                    Json.count(usage.path("output_tokens_details"), "reasoning_tokens")));
        }
    }
}
