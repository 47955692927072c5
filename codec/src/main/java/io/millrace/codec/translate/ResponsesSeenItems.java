package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The output items of a Responses stream. Some servers omit {@code output_index} or count it wrong, or change an item's
 * id. So each event is joined to its item by all fields that it has.
 */
final class ResponsesSeenItems {
    private static final int ITEM_BYTES = 512;

    private final Map<Integer, ResponsesSeenItem> byIndex = new HashMap<>();
    private final Map<String, ResponsesSeenItem> byId = new HashMap<>();

    /** The items of calls that were reported, by their {@code call_id}. */
    private final Map<String, ResponsesSeenItem> byCall = new HashMap<>();

    /** The types of the hosted tools' items that were streamed. */
    private final Set<String> hosted = new HashSet<>();

    /** Whether text or a refusal was streamed, and whether reasoning was. */
    boolean spoke;

    boolean thought;

    /** An upper estimate of the bytes of the items. */
    long heldBytes() {
        return (long) ITEM_BYTES * (byIndex.size() + byId.size() + byCall.size());
    }

    /** The items that have an index. */
    Collection<ResponsesSeenItem> all() {
        return byIndex.values();
    }

    /** The item at an index of the output, null if none was streamed. */
    @Nullable
    ResponsesSeenItem at(int index) {
        return byIndex.get(index);
    }

    /** The item of an event. */
    ResponsesSeenItem of(JsonNode json) {
        ResponsesSeenItem known = byId.get(idOf(json));
        return known != null ? known : byIndex.computeIfAbsent(indexOf(json), index -> new ResponsesSeenItem());
    }

    /** The item of a text. It is a separate item if the server gives the index of a call. */
    ResponsesSeenItem ofText(JsonNode json) {
        ResponsesSeenItem item = of(json);
        return item.call == null ? item : new ResponsesSeenItem();
    }

    /** The item that begins with an event. */
    ResponsesSeenItem add(JsonNode json) {
        ResponsesSeenItem item = new ResponsesSeenItem();
        byIndex.put(indexOf(json), item);
        if (!idOf(json).isEmpty()) {
            byId.put(idOf(json), item);
        }
        return item;
    }

    /** Makes the item known by its {@code call_id}, if it has one. */
    void addCall(ResponsesSeenItem item) {
        if (!item.callId.isEmpty()) {
            byCall.put(item.callId, item);
        }
    }

    /** The item that is complete. It is not the item at its index if the call differs. */
    ResponsesSeenItem ofDone(JsonNode json) {
        JsonNode done = json.path("item");
        if (isHosted(done)) {
            return ofHosted(json);
        }
        String callId = Json.text(done, "call_id");
        ResponsesSeenItem known = callId.isEmpty() ? null : byCall.get(callId);
        ResponsesSeenItem item = known == null ? of(json) : known;
        if (item.call != null && !isCall(done)) {
            // The index is missing or wrong: the streamed content belongs to this item.
            ResponsesSeenItem apart = new ResponsesSeenItem();
            apart.told = isMessage(done) ? spoke : thought;
            return apart;
        }
        boolean other = known == null && item.named && !callId.isEmpty() && !item.callId.isEmpty();
        return other || (item.done && known == null && !callId.isEmpty()) ? add(json) : item;
    }

    /** The item of a hosted tool, by its id. Without an id it is known by its index, if the event has one. */
    private ResponsesSeenItem ofHosted(JsonNode json) {
        hosted.add(Json.text(json.path("item"), "type"));
        String id = idOf(json);
        if (!id.isEmpty()) {
            return byId.computeIfAbsent(id, key -> new ResponsesSeenItem());
        }
        return json.hasNonNull("output_index") ? of(json) : new ResponsesSeenItem();
    }

    /**
     * The item in the last event's output that is not complete; null if it was streamed completely. Some servers omit
     * or miscount {@code output_index}, and still nothing must be reported twice. So text and reasoning are taken only
     * if none was streamed, and calls only if their id is new. An item of a hosted tool is taken if its id is known and
     * it was not complete, or if none of its type was streamed.
     *
     * @param spoken whether text was streamed before the last event
     * @param reasoned whether reasoning was streamed before the last event
     */
    @Nullable
    ResponsesSeenItem ofOutput(JsonNode done, int index, boolean spoken, boolean reasoned) {
        ResponsesSeenItem there = byIndex.get(index);
        if (isCall(done)) {
            return ofCall(done, there);
        }
        if (isHosted(done)) {
            ResponsesSeenItem known = byId.get(Json.text(done, "id"));
            return known != null || hosted.contains(Json.text(done, "type")) ? known : new ResponsesSeenItem();
        }
        return there == null && !(isMessage(done) ? spoken : reasoned) ? new ResponsesSeenItem() : null;
    }

    private ResponsesSeenItem ofCall(JsonNode done, @Nullable ResponsesSeenItem there) {
        ResponsesSeenItem known = byCall.get(Json.text(done, "call_id"));
        if (known == null) {
            known = byId.get(Json.text(done, "id"));
        }
        if (known == null && there != null && there.call != null && (there.callId.isEmpty() || !there.named)) {
            known = there;
        }
        return known == null ? new ResponsesSeenItem() : known;
    }

    private static int indexOf(JsonNode json) {
        return json.path("output_index").asInt(0);
    }

    private static String idOf(JsonNode json) {
        String id = Json.text(json, "item_id");
        return id.isEmpty() ? Json.text(json.path("item"), "id") : id;
    }

    /** Whether an item is a call that the client answers. */
    static boolean isCall(JsonNode item) {
        String type = Json.text(item, "type");
        return type.equals("function_call") || type.equals("custom_tool_call");
    }

    /** Whether an item is the use of a provider's tool that is reported. */
    private static boolean isHosted(JsonNode item) {
        return switch (Json.text(item, "type")) {
            case "image_generation_call", "web_search_call", "code_interpreter_call" -> true;
            default -> false;
        };
    }

    private static boolean isMessage(JsonNode item) {
        return Json.text(item, "type").equals("message");
    }
}
