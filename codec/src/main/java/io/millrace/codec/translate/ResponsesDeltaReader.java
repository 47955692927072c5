package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.Set;

/**
 * Reads Responses events and answers. An event's {@code type} decides its kind. Content that was not streamed is taken
 * from the item or the response that repeats it.
 */
final class ResponsesDeltaReader extends FrameReader {
    /** The most content parts of an item whose places are kept. */
    private static final int MAX_PARTS = 16;

    private final CallAssembler calls = new CallAssembler(Set.of());

    private final ResponsesSeenItems items = new ResponsesSeenItems();

    /** Escapes the input of custom tools, which is not JSON. */
    private final JsonText customInput = new JsonText();

    /** The code points of the text so far. */
    private int told;

    ResponsesDeltaReader() {
        super(Dialect.RESPONSES);
    }

    @Override
    void read(ObjectNode json, DeltaSink out) {
        switch (Json.text(json, "type")) {
            case "response.created", "response.in_progress" -> readHead(json.path("response"), out);
            case "response.output_item.added" -> readAdded(items.add(json), json.path("item"), out);
            case "response.output_text.delta" -> {
                tellText(json);
                text(items.ofText(json), json.path("content_index").asInt(), Json.text(json, "delta"), out);
            }
            case "response.output_text.annotation.added" -> readAnnotation(items.ofText(json), json, out);
            case "response.refusal.delta" -> {
                tellText(json);
                out.refusal(Json.text(json, "delta"));
            }
            case "response.reasoning_summary_text.delta" -> readSummary(json, out);
            case "response.reasoning_text.delta" -> {
                items.ofText(json).told = true;
                items.thought = true;
                out.reasoning(Json.text(json, "delta"));
            }
            case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta" ->
                readArguments(items.of(json), json, Json.text(json, "delta"), out);
            case "response.function_call_arguments.done" -> readWhole(json, Json.text(json, "arguments"), out);
            case "response.custom_tool_call_input.done" -> readWhole(json, Json.text(json, "input"), out);
            case "response.output_text.done" -> readDoneText(json, "text", out);
            case "response.refusal.done" -> readDoneText(json, "refusal", out);
            case "response.output_item.done" -> readDone(items.ofDone(json), json.path("item"), out);
            case "response.completed", "response.done" -> readTerminal(json, "completed", out);
            case "response.incomplete" -> readTerminal(json, "incomplete", out);
            case "response.failed" -> readTerminal(json, "failed", out);
            case "response.cancelled" -> readTerminal(json, "cancelled", out);
            case "error" -> out.error(UpstreamErrors.of(json));
            default -> readOther(json, out);
        }
    }

    /** Reads JSON that is no event of the dialect. It may be an error. */
    private static void readOther(ObjectNode json, DeltaSink out) {
        boolean typed = !Json.text(json, "type").isEmpty();
        if (typed ? UpstreamErrors.isSaid(json.path("error")) : UpstreamErrors.isError(json)) {
            out.error(UpstreamErrors.of(json));
        }
    }

    /** Some compatible servers send this after their terminal. It is not a terminal. */
    @Override
    void done(DeltaSink out) {}

    /** The terminal has already ended the answer. Without it the stream was cut. */
    @Override
    public void finish(DeltaSink out) {}

    @Override
    void readAnswer(ObjectNode json, DeltaSink out) {
        if (json.path("output").isArray()) {
            readTerminal(json, "completed", out);
        } else if (UpstreamErrors.isError(json, json.path("output"))) {
            out.error(UpstreamErrors.of(json));
        } else {
            out.error(AnswerGrammar.garbled("it has no output"));
        }
    }

    @Override
    public long heldBytes() {
        return Character.BYTES * calls.heldChars() + items.heldBytes();
    }

    private static void readHead(JsonNode response, DeltaSink out) {
        out.start(
                Json.textOrNull(response, "id"),
                Json.textOrNull(response, "model"),
                Json.count(response, "created_at"));
    }

    private void tellText(JsonNode json) {
        items.ofText(json).told = true;
        items.spoke = true;
    }

    private void readAdded(ResponsesSeenItem item, JsonNode added, DeltaSink out) {
        if (ResponsesSeenItems.isCall(added)) {
            openCall(item, added, out);
            readArguments(item, added, Json.text(added, argumentsOf(item)), out);
        }
    }

    private AssembledCall openCall(ResponsesSeenItem item, JsonNode json, DeltaSink out) {
        AssembledCall call = item.call;
        if (call != null && item.named) {
            return call;
        }
        item.named = true;
        item.custom = Json.text(json, "type").equals("custom_tool_call");
        item.callId = Json.text(json, "call_id");
        items.addCall(item);
        String name = Json.text(json, "name");
        if (call == null) {
            call = calls.begin(item.callId, name, null, out);
            item.call = call;
        } else {
            calls.name(call, item.callId, name, out);
        }
        return call;
    }

    private static String argumentsOf(ResponsesSeenItem item) {
        return item.custom ? "input" : "arguments";
    }

    /**
     * Reads a piece of arguments. The text of a custom tool's input becomes the string {@code input} of an object,
     * because arguments are JSON.
     */
    private void readArguments(ResponsesSeenItem item, JsonNode json, String text, DeltaSink out) {
        if (text.isEmpty()) {
            return;
        }
        AssembledCall call = item.call;
        if (call == null) {
            item.custom = Json.text(json, "type").startsWith("response.custom_tool_call");
            call = calls.begin("", "", null, out);
            item.call = call;
        }
        if (item.custom) {
            String escaped =
                    customInput.reset().object().put("input", text).endObject().text();
            String inner = escaped.substring("{\"input\":\"".length(), escaped.length() - "\"}".length());
            calls.arguments(call, item.told ? inner : "{\"input\":\"" + inner, out);
        } else {
            calls.arguments(call, text, out);
        }
        item.told = true;
    }

    /** Reads whole arguments. Deltas may have reported them already. */
    private void readWhole(JsonNode json, String arguments, DeltaSink out) {
        ResponsesSeenItem item = items.of(json);
        item.name = Json.text(json, "name");
        if (!item.told && !item.done) {
            readArguments(item, json, arguments, out);
        }
    }

    private void readDoneText(JsonNode json, String key, DeltaSink out) {
        ResponsesSeenItem item = items.ofText(json);
        if (!item.told && !item.done && items.of(json) == item) {
            tellText(json);
            text(item, json.path("content_index").asInt(), key.equals("text") ? Json.text(json, key) : "", out);
            out.refusal(key.equals("refusal") ? Json.text(json, key) : "");
        }
    }

    /** Reads a part of a summary. Parts are paragraphs. */
    private void readSummary(JsonNode json, DeltaSink out) {
        ResponsesSeenItem item = items.ofText(json);
        long index = json.path("summary_index").asLong(0);
        if (item.told && index != item.summaryIndex) {
            out.reasoning("\n\n");
        }
        item.told = true;
        items.thought = true;
        item.summaryIndex = index;
        out.reasoning(Json.text(json, "delta"));
    }

    private void readDone(ResponsesSeenItem item, JsonNode done, DeltaSink out) {
        if (item.done) {
            return;
        }
        item.done = true;
        switch (Json.text(done, "type")) {
            case "message" -> {
                items.spoke = true;
                readMessage(item, done, out);
                readAnnotations(item, done, out);
            }
            case "reasoning" -> {
                items.thought = true;
                readReasoning(item, done, out);
            }
            case "function_call", "custom_tool_call" -> {
                AssembledCall call = openCall(item, done, out);
                if (!item.told) {
                    readArguments(item, done, Json.text(done, argumentsOf(item)), out);
                }
                endCall(item, call, out);
            }
            case "image_generation_call" -> ResponsesHostedReader.readImage(done, out);
            case "web_search_call" -> ResponsesHostedReader.readSearch(done, out);
            case "code_interpreter_call" -> ResponsesHostedReader.readCode(done, out);
            default -> item.told = true;
        }
    }

    /** Ends a call whose item has no end. */
    private void endLateCall(ResponsesSeenItem item, DeltaSink out) {
        if (item.call == null || item.done) {
            return;
        }
        if (!item.named && !item.name.isEmpty()) {
            item.named = true;
            calls.name(item.call, "", item.name, out);
        }
        if (item.custom) {
            endCall(item, item.call, out);
        }
    }

    private void endCall(ResponsesSeenItem item, AssembledCall call, DeltaSink out) {
        if (item.custom) {
            calls.arguments(call, item.told ? "\"}" : "{\"input\":\"\"}", out);
        }
        calls.end(call, out);
    }

    private void readMessage(ResponsesSeenItem item, JsonNode message, DeltaSink out) {
        if (!item.told) {
            int index = 0;
            for (JsonNode part : message.path("content")) {
                text(item, index++, Json.text(part, "text"), out);
                out.refusal(Json.text(part, "refusal"));
            }
        }
    }

    /**
     * Reports text, and keeps the place at which its content part begins. The places of annotations are counted from
     * there.
     */
    private void text(ResponsesSeenItem item, int contentIndex, String text, DeltaSink out) {
        if (item.starts.size() < MAX_PARTS) {
            item.starts.putIfAbsent(contentIndex, told);
        }
        told += CodePoints.count(text);
        out.text(text);
    }

    private static void readAnnotation(ResponsesSeenItem item, JsonNode json, DeltaSink out) {
        item.annotated = true;
        ResponsesHostedReader.readAnnotation(item, json.path("content_index").asInt(), json.path("annotation"), out);
    }

    private static void readAnnotations(ResponsesSeenItem item, JsonNode message, DeltaSink out) {
        int index = 0;
        for (JsonNode part : message.path("content")) {
            for (JsonNode annotation : item.annotated ? Json.object() : part.path("annotations")) {
                ResponsesHostedReader.readAnnotation(item, index, annotation, out);
            }
            index++;
        }
    }

    private static void readReasoning(ResponsesSeenItem item, JsonNode reasoning, DeltaSink out) {
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

    /** Reads the end of a response from the event. The response's status is used only if it is more exact. */
    private void readTerminal(ObjectNode json, String type, DeltaSink out) {
        JsonNode response = json.path("response").isObject() ? json.path("response") : json;
        String told = Json.text(response, "status");
        boolean incomplete = response.path("incomplete_details").hasNonNull("reason");
        boolean worse = told.equals("failed") || told.equals("cancelled") || (told.equals("incomplete") && incomplete);
        boolean failed = !told.equals("completed") && UpstreamErrors.isSaid(response.path("error"));
        String status = !type.equals("completed") ? type : worse ? told : failed ? "failed" : type;
        if (status.equals("completed") || status.equals("incomplete")) {
            readEnd(response, status, out);
        } else {
            out.error(failure(response, status));
        }
    }

    private void readEnd(JsonNode response, String status, DeltaSink out) {
        readHead(response, out);
        readOutput(response.path("output"), out);
        items.all().forEach(item -> endLateCall(item, out));
        readUsage(response.path("usage"), out);
        calls.finish(out);
        out.stop(stopReason(response, status), null);
        out.end();
    }

    /** Reports the content that was not streamed. */
    private void readOutput(JsonNode output, DeltaSink out) {
        boolean spoken = items.spoke;
        boolean reasoned = items.thought;
        int index = 0;
        for (JsonNode done : output) {
            ResponsesSeenItem item = items.ofOutput(done, index++, spoken, reasoned);
            if (item != null) {
                readDone(item, done, out);
            }
        }
    }

    private static ModelError failure(JsonNode response, String status) {
        ObjectNode error = Json.object();
        error.set(
                "error",
                has(response, "error") ? response.get("error") : Json.object().put("code", status));
        return UpstreamErrors.of(error);
    }

    /** The reason for the end. An incomplete answer was cut, whatever its reason is. */
    private static StopReason stopReason(JsonNode response, String status) {
        if (status.equals("completed")) {
            return StopReason.END;
        }
        String reason = Json.text(response.path("incomplete_details"), "reason");
        StopReason meaning = reason.isEmpty() ? StopReason.OTHER : StopWords.meaning(reason);
        return meaning == StopReason.OTHER ? StopReason.LENGTH : meaning;
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
