package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fields that gateways of Chat Completions want back with a message or a call. OpenAI has none of them. The kind of
 * a seal is the field of the readable reasoning. Its value is a JSON object of the other fields, or empty.
 */
final class ChatSeals {
    /** Fields of a message or delta. Lists come in pieces. */
    private static final List<String> FIELDS =
            List.of("reasoning_details", "thinking_blocks", "reasoning_opaque", "extra_content");

    /** Fields of a call. */
    private static final List<String> CALL_FIELDS =
            List.of("extra_content", "provider_specific_fields", "thought_signature");

    /** Fields of a detail whose pieces are joined. */
    private static final List<String> JOINED = List.of("text", "summary", "data", "thinking");

    private static final int DETAIL_CHARS = 256;

    private final Map<String, List<Detail>> lists = new LinkedHashMap<>();
    private final ObjectNode others = Json.object();
    private long heldChars;

    /** An element of a list, as far as it has come. */
    private static final class Detail {
        private final ObjectNode fields;
        private final Map<String, StringBuilder> joined = new LinkedHashMap<>();

        Detail(ObjectNode fields) {
            this.fields = fields;
        }

        boolean goesOn(JsonNode piece) {
            return piece.hasNonNull("index")
                    && piece.get("index").equals(fields.get("index"))
                    && piece.path("type").equals(fields.path("type"));
        }

        void add(JsonNode piece) {
            for (Map.Entry<String, JsonNode> field : piece.properties()) {
                String key = field.getKey();
                if (JOINED.contains(key) && field.getValue().isTextual()) {
                    joined.computeIfAbsent(key, name -> new StringBuilder())
                            .append(field.getValue().textValue());
                } else if (!field.getValue().isNull() || !fields.has(key)) {
                    fields.set(key, field.getValue());
                }
            }
        }

        ObjectNode whole() {
            joined.forEach((key, text) -> fields.put(key, text.toString()));
            return fields;
        }
    }

    /** How many characters are kept. */
    long heldChars() {
        return heldChars;
    }

    boolean isEmpty() {
        return lists.isEmpty() && others.isEmpty();
    }

    /** Reads these fields of a message or delta. */
    void read(JsonNode message) {
        for (String field : FIELDS) {
            JsonNode value = message.path(field);
            if (value.isArray()) {
                value.forEach(piece -> add(field, piece));
            } else if (isSaid(value)) {
                others.set(field, value);
                heldChars += value.toString().length();
            }
        }
    }

    /**
     * Returns the seal of the reasoning so far, and removes it here.
     *
     * @param field the field of the reasoning's text, empty if there is none
     */
    Seal take(String field) {
        if (isEmpty()) {
            return new Seal(Dialect.CHAT, field, "");
        }
        ObjectNode value = others.deepCopy();
        lists.forEach((key, details) -> {
            ArrayNode array = value.putArray(key);
            details.forEach(detail -> array.add(detail.whole()));
        });
        lists.clear();
        others.removeAll();
        heldChars = 0;
        return new Seal(Dialect.CHAT, field, value.toString());
    }

    /** The seal of a call, null if there is none. */
    static @Nullable Seal ofCall(JsonNode call) {
        ObjectNode value = Json.object();
        for (String field : CALL_FIELDS) {
            JsonNode sealed =
                    call.path(field).isMissingNode() ? call.path("function").path(field) : call.path(field);
            if (isSaid(sealed)) {
                value.set(field, sealed);
            }
        }
        return value.isEmpty() ? null : new Seal(Dialect.CHAT, "", value.toString());
    }

    /** Puts the fields of a message's seal into the message. Lists of several seals are joined. */
    static void putBack(ObjectNode message, Seal seal) {
        put(message, seal, FIELDS);
    }

    /** Puts the fields of a call's seal into the call, if the seal is from such a server. */
    static void putBackCall(ObjectNode call, @Nullable Seal seal) {
        if (seal != null && seal.origin() == Dialect.CHAT) {
            put(call, seal, CALL_FIELDS);
        }
    }

    private static void put(ObjectNode to, Seal seal, List<String> known) {
        ObjectNode value = seal.value().isEmpty() ? null : Json.parseObject(seal.value());
        if (value == null) {
            return;
        }
        for (Map.Entry<String, JsonNode> field : value.properties()) {
            if (!known.contains(field.getKey())) {
                continue;
            }
            if (field.getValue() instanceof ArrayNode more && to.get(field.getKey()) instanceof ArrayNode array) {
                array.addAll(more);
            } else {
                to.set(field.getKey(), field.getValue());
            }
        }
    }

    private void add(String field, JsonNode piece) {
        List<Detail> details = lists.computeIfAbsent(field, key -> new ArrayList<>());
        Detail last = details.isEmpty() ? null : details.get(details.size() - 1);
        if (last == null || !last.goesOn(piece)) {
            last = new Detail(Json.object());
            details.add(last);
            heldChars += DETAIL_CHARS;
        }
        last.add(piece);
        for (Map.Entry<String, JsonNode> entry : piece.properties()) {
            JsonNode value = entry.getValue();
            String text = value.isTextual() ? value.textValue() : value.toString();
            heldChars += entry.getKey().length() + text.length();
        }
    }

    private static boolean isSaid(JsonNode value) {
        return value.isTextual() ? !value.textValue().isEmpty() : !value.isNull() && !value.isEmpty();
    }
}
