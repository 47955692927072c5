package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads Responses events and answers. The {@code type} of an event tells its kind. Content that was not streamed is taken from
 * the item, or the response, that repeats it.
 */
final class ResponsesDeltaReader extends FrameReader {
    private static final int ITEM_BYTES = 512;

    /** Content parts of an item whose places are remembered. */
    private static final int MAX_PARTS = 16;

    private final CallAssembler calls = new CallAssembler(Set.of());

    /** By {@code output_index} and by the item's id: some servers leave out or miscount the index, or change the id. */
    private final Map<Integer, Item> items = new HashMap<>();

    private final Map<String, Item> itemsById = new HashMap<>();

    /** The calls that were told, by their {@code call_id}. */
    private final Map<String, Item> itemsByCall = new HashMap<>();

    /** Escapes the input of custom tools, which is no JSON. */
    private final JsonText customInput = new JsonText();

    /** The code points of the text so far. */
    private int told;

    /** The types of the hosted tools' items that were streamed. */
    private final Set<String> hosted = new HashSet<>();

    private boolean spoke;
    private boolean thought;

    /** What has been told of an output item. */
    private static final class Item {
        private CallAssembler.Call call;
        private boolean named;
        private String callId = "";

        /** The name that an event told before the item did, or in its place. */
        private String name = "";

        private boolean custom;
        private boolean told;
        private boolean done;
        private long summaryIndex;
        private boolean annotated;

        /** How many code points of the answer's text stand before each content part. */
        private final Map<Integer, Integer> starts = new HashMap<>();
    }

    @Override
    void read(ObjectNode json, DeltaSink out) {
        switch (Json.text(json, "type")) {
            case "response.created", "response.in_progress" -> readHead(json.path("response"), out);
            case "response.output_item.added" -> readAdded(newItem(json), json.path("item"), out);
            case "response.output_text.delta" -> {
                tellText(json);
                text(textItem(json), json.path("content_index").asInt(), Json.text(json, "delta"), out);
            }
            case "response.output_text.annotation.added" -> readAnnotation(textItem(json), json, out);
            case "response.refusal.delta" -> {
                tellText(json);
                out.refusal(Json.text(json, "delta"));
            }
            case "response.reasoning_summary_text.delta" -> readSummary(json, out);
            case "response.reasoning_text.delta" -> {
                textItem(json).told = true;
                thought = true;
                out.reasoning(Json.text(json, "delta"));
            }
            case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta" ->
                readArguments(item(json), json, Json.text(json, "delta"), out);
            case "response.function_call_arguments.done" -> readWhole(json, Json.text(json, "arguments"), out);
            case "response.custom_tool_call_input.done" -> readWhole(json, Json.text(json, "input"), out);
            case "response.output_text.done" -> readDoneText(json, "text", out);
            case "response.refusal.done" -> readDoneText(json, "refusal", out);
            case "response.output_item.done" -> readDone(doneItem(json), json.path("item"), out);
            case "response.completed", "response.done" -> readTerminal(json, "completed", out);
            case "response.incomplete" -> readTerminal(json, "incomplete", out);
            case "response.failed" -> readTerminal(json, "failed", out);
            case "response.cancelled" -> readTerminal(json, "cancelled", out);
            case "error" -> out.error(UpstreamErrors.of(json));
            default -> readOther(json, out);
        }
    }

    /** What is no event of the dialect may be an error. */
    private static void readOther(ObjectNode json, DeltaSink out) {
        boolean typed = !Json.text(json, "type").isEmpty();
        if (typed ? UpstreamErrors.isSaid(json.path("error")) : UpstreamErrors.isError(json)) {
            out.error(UpstreamErrors.of(json));
        }
    }

    /** Some compatible servers send it after their terminal. It is no terminal by itself. */
    @Override
    void done(DeltaSink out) {}

    /** The terminal has ended the answer already. Without it the stream is cut. */
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
        return Character.BYTES * calls.heldChars()
                + (long) ITEM_BYTES * (items.size() + itemsById.size() + itemsByCall.size());
    }

    private static void readHead(JsonNode response, DeltaSink out) {
        out.start(
                Json.textOrNull(response, "id"),
                Json.textOrNull(response, "model"),
                Json.count(response, "created_at"));
    }

    private Item item(JsonNode json) {
        Item known = itemsById.get(idOf(json));
        return known != null ? known : items.computeIfAbsent(indexOf(json), index -> new Item());
    }

    /** The item that text belongs to; a separate one if the server gives the place of a call. */
    private Item textItem(JsonNode json) {
        Item item = item(json);
        return item.call == null ? item : new Item();
    }

    private void tellText(JsonNode json) {
        textItem(json).told = true;
        spoke = true;
    }

    private Item newItem(JsonNode json) {
        Item item = new Item();
        items.put(indexOf(json), item);
        if (!idOf(json).isEmpty()) {
            itemsById.put(idOf(json), item);
        }
        return item;
    }

    /** The item that is done, another than that under its index if the call is another. */
    private Item doneItem(JsonNode json) {
        if (isHosted(json.path("item"))) {
            return hostedItem(json);
        }
        String callId = Json.text(json.path("item"), "call_id");
        Item told = callId.isEmpty() ? null : itemsByCall.get(callId);
        Item item = told == null ? item(json) : told;
        if (item.call != null && !isCall(json.path("item"))) {
            // There is no index, or it is wrong: what was streamed was that of this item.
            Item apart = new Item();
            apart.told = isMessage(json.path("item")) ? spoke : thought;
            return apart;
        }
        boolean other = told == null && item.named && !callId.isEmpty() && !item.callId.isEmpty();
        return other || (item.done && told == null && !callId.isEmpty()) ? newItem(json) : item;
    }

    /** What a hosted tool did is known by its id. Without one it is known by its place, if that is told. */
    private Item hostedItem(JsonNode json) {
        hosted.add(Json.text(json.path("item"), "type"));
        String id = idOf(json);
        if (!id.isEmpty()) {
            return itemsById.computeIfAbsent(id, key -> new Item());
        }
        return has(json, "output_index") ? item(json) : new Item();
    }

    private static int indexOf(JsonNode json) {
        return json.path("output_index").asInt(0);
    }

    private static String idOf(JsonNode json) {
        String id = Json.text(json, "item_id");
        return id.isEmpty() ? Json.text(json.path("item"), "id") : id;
    }

    private void readAdded(Item item, JsonNode added, DeltaSink out) {
        if (isCall(added)) {
            openCall(item, added, out);
            readArguments(item, added, Json.text(added, argumentsOf(item)), out);
        }
    }

    private static boolean isCall(JsonNode item) {
        String type = Json.text(item, "type");
        return type.equals("function_call") || type.equals("custom_tool_call");
    }

    private void openCall(Item item, JsonNode call, DeltaSink out) {
        if (item.named) {
            return;
        }
        item.named = true;
        item.custom = Json.text(call, "type").equals("custom_tool_call");
        item.callId = Json.text(call, "call_id");
        if (!item.callId.isEmpty()) {
            itemsByCall.put(item.callId, item);
        }
        String name = Json.text(call, "name");
        if (item.call == null) {
            item.call = calls.begin(item.callId, name, null, out);
        } else {
            calls.name(item.call, item.callId, name, out);
        }
    }

    private static String argumentsOf(Item item) {
        return item.custom ? "input" : "arguments";
    }

    /** The text of a custom tool's input becomes the string {@code input} of an object, since arguments are JSON. */
    private void readArguments(Item item, JsonNode json, String text, DeltaSink out) {
        if (text.isEmpty()) {
            return;
        }
        if (item.call == null) {
            item.custom = Json.text(json, "type").startsWith("response.custom_tool_call");
            item.call = calls.begin("", "", null, out);
        }
        if (item.custom) {
            String escaped =
                    customInput.reset().object().put("input", text).endObject().text();
            String inner = escaped.substring("{\"input\":\"".length(), escaped.length() - "\"}".length());
            calls.arguments(item.call, item.told ? inner : "{\"input\":\"" + inner, out);
        } else {
            calls.arguments(item.call, text, out);
        }
        item.told = true;
    }

    /** Arguments as a whole, which deltas may have told already. */
    private void readWhole(JsonNode json, String arguments, DeltaSink out) {
        Item item = item(json);
        item.name = Json.text(json, "name");
        if (!item.told && !item.done) {
            readArguments(item, json, arguments, out);
        }
    }

    private void readDoneText(JsonNode json, String key, DeltaSink out) {
        Item item = textItem(json);
        if (!item.told && !item.done && item(json) == item) {
            tellText(json);
            text(item, json.path("content_index").asInt(), key.equals("text") ? Json.text(json, key) : "", out);
            out.refusal(key.equals("refusal") ? Json.text(json, key) : "");
        }
    }

    /** Parts of a summary are paragraphs. */
    private void readSummary(JsonNode json, DeltaSink out) {
        Item item = textItem(json);
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
                readAnnotations(item, done, out);
            }
            case "reasoning" -> {
                thought = true;
                readReasoning(item, done, out);
            }
            case "function_call", "custom_tool_call" -> {
                openCall(item, done, out);
                if (!item.told) {
                    readArguments(item, done, Json.text(done, argumentsOf(item)), out);
                }
                endCall(item, out);
            }
            case "image_generation_call" -> readImage(done, out);
            case "web_search_call" -> readSearch(done, out);
            case "code_interpreter_call" -> readCode(done, out);
            default -> item.told = true;
        }
    }

    /** Ends a call whose item was never done. */
    private void endLateCall(Item item, DeltaSink out) {
        if (item.call == null || item.done) {
            return;
        }
        if (!item.named && !item.name.isEmpty()) {
            item.named = true;
            calls.name(item.call, "", item.name, out);
        }
        if (item.custom) {
            endCall(item, out);
        }
    }

    private void endCall(Item item, DeltaSink out) {
        if (item.custom) {
            calls.arguments(item.call, item.told ? "\"}" : "{\"input\":\"\"}", out);
        }
        calls.end(item.call, out);
    }

    private static void readImage(JsonNode image, DeltaSink out) {
        String data = Json.text(image, "result");
        String format = Json.text(image, "output_format");
        if (!data.isEmpty()) {
            out.media(new Part.Media("image/" + (format.isEmpty() ? "png" : format), data, null));
        }
    }

    private void readMessage(Item item, JsonNode message, DeltaSink out) {
        if (!item.told) {
            int index = 0;
            for (JsonNode part : message.path("content")) {
                text(item, index++, Json.text(part, "text"), out);
                out.refusal(Json.text(part, "refusal"));
            }
        }
    }

    /** Tells text, and remembers where its content part begins: places of annotations are counted from there. */
    private void text(Item item, int contentIndex, String text, DeltaSink out) {
        if (item.starts.size() < MAX_PARTS) {
            item.starts.putIfAbsent(contentIndex, told);
        }
        told += CodePoints.count(text);
        out.text(text);
    }

    private static void readAnnotation(Item item, JsonNode json, DeltaSink out) {
        item.annotated = true;
        tellAnnotation(item, json.path("content_index").asInt(), json.path("annotation"), out);
    }

    private static void readAnnotations(Item item, JsonNode message, DeltaSink out) {
        int index = 0;
        for (JsonNode part : message.path("content")) {
            for (JsonNode annotation : item.annotated ? Json.object() : part.path("annotations")) {
                tellAnnotation(item, index, annotation, out);
            }
            index++;
        }
    }

    // {"type": "url_citation", "start_index": 0, "end_index": 9, "url": "..", "title": ".."}
    private static void tellAnnotation(Item item, int contentIndex, JsonNode annotation, DeltaSink out) {
        String url = Json.text(annotation, "url");
        if (!url.isEmpty()) {
            int from = item.starts.getOrDefault(contentIndex, 0);
            int start = annotation.path("start_index").asInt(-1);
            int end = annotation.path("end_index").asInt(-1);
            boolean placed = start >= 0 && end >= start;
            out.citation(new Part.Citation(
                    url, Json.text(annotation, "title"), "", placed ? from + start : -1, placed ? from + end : -1));
        }
    }

    // {"type": "web_search_call", "action": {"type": "search", "query": "..", "sources": [{"type": "url", "url":
    // ".."}]}}
    private static void readSearch(JsonNode item, DeltaSink out) {
        JsonNode action = item.path("action");
        boolean failed = Json.text(item, "status").equals("failed");
        if (!Json.text(action, "url").isEmpty()) {
            out.hosted(new Part.HostedUse(HostedKind.WEB_FETCH, Json.text(action, "url"), List.of(), "", failed));
            return;
        }
        List<String> queries = new ArrayList<>();
        action.path("queries").forEach(query -> queries.add(query.asText()));
        List<Part.Source> sources = new ArrayList<>();
        for (JsonNode source : action.path("sources")) {
            if (!Json.text(source, "url").isEmpty()) {
                sources.add(new Part.Source(Json.text(source, "url"), Json.text(source, "title")));
            }
        }
        String query = queries.isEmpty() ? Json.text(action, "query") : String.join("; ", queries);
        out.hosted(new Part.HostedUse(HostedKind.WEB_SEARCH, query, sources, "", failed));
    }

    // {"type": "code_interpreter_call", "code": "..", "outputs": [{"type": "logs", "logs": ".."}]}
    private static void readCode(JsonNode item, DeltaSink out) {
        StringBuilder logs = new StringBuilder();
        item.path("outputs").forEach(output -> logs.append(Json.text(output, "logs")));
        boolean failed = Json.text(item, "status").equals("failed");
        out.hosted(new Part.HostedUse(HostedKind.CODE, Json.text(item, "code"), List.of(), logs.toString(), failed));
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

    /** The event says how the response ended; its status only where it says more. */
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
        items.values().forEach(item -> endLateCall(item, out));
        readUsage(response.path("usage"), out);
        calls.finish(out);
        out.stop(stopReason(response, status), null);
        out.end();
    }

    /**
     * Tells what was not streamed. Servers that leave out or miscount {@code output_index} must not have anything told
     * twice. Text and reasoning are taken only where none was streamed, and calls where their id is new. An item of a hosted
     * tool is taken where its id is known and it was not done, or where none of its type was streamed.
     */
    private void readOutput(JsonNode output, DeltaSink out) {
        boolean spoken = spoke;
        boolean reasoned = thought;
        int index = 0;
        for (JsonNode done : output) {
            Item item = items.get(index++);
            if (isCall(done)) {
                readDone(callItem(done, item), done, out);
            } else if (isHosted(done)) {
                Item known = itemsById.get(Json.text(done, "id"));
                if (known != null || !hosted.contains(Json.text(done, "type"))) {
                    readDone(known == null ? new Item() : known, done, out);
                }
            } else if (item == null && !(isMessage(done) ? spoken : reasoned)) {
                readDone(new Item(), done, out);
            }
        }
    }

    /** The item of a call in the last event, which may yet be open. */
    private Item callItem(JsonNode done, Item there) {
        Item known = itemsByCall.get(Json.text(done, "call_id"));
        if (known == null) {
            known = itemsById.get(Json.text(done, "id"));
        }
        if (known == null && there != null && there.call != null && (there.callId.isEmpty() || !there.named)) {
            known = there;
        }
        return known == null ? new Item() : known;
    }

    /** Whether an item is what a tool of the provider's did, of those that are told. */
    private static boolean isHosted(JsonNode item) {
        return switch (Json.text(item, "type")) {
            case "image_generation_call", "web_search_call", "code_interpreter_call" -> true;
            default -> false;
        };
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

    /** An incomplete answer was cut, whatever its reason is. */
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
