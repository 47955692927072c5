package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An object of a client's request. It knows its path in the request, so that errors can name a field. It tracks which
 * fields were read, so that the others can be dropped and reported to the client. A field that is {@code null} counts
 * as missing.
 */
final class JsonFields {
    private static final int MAX_TOLD = 64;

    private final ObjectNode object;
    private final String path;
    private final boolean proto;
    private final Drops drops;
    private final Set<String> known = new HashSet<>();

    private JsonFields(ObjectNode object, String path, boolean proto, Drops drops) {
        this.object = object;
        this.path = path;
        this.proto = proto;
        this.drops = drops;
    }

    static JsonFields ofBody(byte[] body) {
        return ofBody(body, false);
    }

    /** Reads a body whose names may be written {@code like_this} as well as {@code likeThis}, as in Google's JSON. */
    static JsonFields ofProtoBody(byte[] body) {
        return ofBody(body, true);
    }

    private static JsonFields ofBody(byte[] body, boolean proto) {
        ObjectNode object = Json.parseObject(body, 0, body.length);
        if (object == null) {
            throw new TranslationException((String) null, "the body is not a JSON object");
        }
        return new JsonFields(object, "", proto, new Drops());
    }

    /** The unchanged object. */
    ObjectNode tree() {
        return object;
    }

    /** The path of a field of this object. */
    String path(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    TranslationException refuse(String key, String message) {
        return new TranslationException(path(key), message);
    }

    /** The field's value, {@code null} if there is none. */
    @Nullable
    JsonNode any(String key) {
        known.add(key);
        JsonNode value = object.get(key);
        if (value == null && proto) {
            String other = snakeCase(key);
            known.add(other);
            value = object.get(other);
        }
        return value == null || value.isNull() ? null : value;
    }

    boolean has(String key) {
        return any(key) != null;
    }

    /** The string under {@code key}, {@code null} if there is none. */
    @Nullable
    String text(String key) {
        JsonNode value = any(key);
        if (value != null && !value.isTextual()) {
            throw refuse(key, "expected a string");
        }
        return value == null ? null : value.textValue();
    }

    /** The string under {@code key}, {@code other} if there is none. */
    String text(String key, String other) {
        String value = text(key);
        return value == null ? other : value;
    }

    /** The string under {@code key}, or another value as JSON; empty if there is none. */
    String json(String key) {
        JsonNode value = any(key);
        if (value == null) {
            return "";
        }
        return value.isTextual() ? value.textValue() : value.toString();
    }

    String requiredText(String key) {
        return required(key, text(key));
    }

    @Nullable
    Long integer(String key) {
        JsonNode value = any(key);
        if (value != null && !(value.isNumber() && value.canConvertToExactIntegral() && value.canConvertToLong())) {
            throw refuse(key, "expected an integer");
        }
        return value == null ? null : Long.valueOf(value.longValue());
    }

    @Nullable
    Double number(String key) {
        JsonNode value = any(key);
        if (value != null && !value.isNumber()) {
            throw refuse(key, "expected a number");
        }
        return value == null ? null : Double.valueOf(value.doubleValue());
    }

    @Nullable
    Boolean flag(String key) {
        JsonNode value = any(key);
        if (value != null && !value.isBoolean()) {
            throw refuse(key, "expected true or false");
        }
        return value == null ? null : Boolean.valueOf(value.booleanValue());
    }

    boolean isTrue(String key) {
        return Boolean.TRUE.equals(flag(key));
    }

    /** The unchanged object under {@code key}, {@code null} if there is none. */
    @Nullable
    ObjectNode tree(String key) {
        JsonNode value = any(key);
        if (value == null) {
            return null;
        }
        if (value instanceof ObjectNode tree) {
            return tree;
        }
        throw refuse(key, "expected an object");
    }

    /** The fields of the object under {@code key}, {@code null} if there is none. */
    @Nullable
    JsonFields object(String key) {
        ObjectNode tree = tree(key);
        return tree == null ? null : new JsonFields(tree, path(key), proto, drops);
    }

    JsonFields requiredObject(String key) {
        return required(key, object(key));
    }

    private <T> T required(String key, @Nullable T value) {
        if (value == null) {
            throw refuse(key, "is required");
        }
        return value;
    }

    /** The objects of the array under {@code key}; none if there is no such field. */
    List<JsonFields> objects(String key) {
        List<JsonFields> all = new ArrayList<>();
        for (JsonNode element : array(key)) {
            String at = path(key) + "[" + all.size() + "]";
            if (!(element instanceof ObjectNode tree)) {
                throw new TranslationException(at, "expected an object");
            }
            all.add(new JsonFields(tree, at, proto, drops));
        }
        return all;
    }

    /** The objects of an array that is required. It may be empty. */
    List<JsonFields> requiredObjects(String key) {
        required(key, any(key));
        return objects(key);
    }

    /** The strings of the array under {@code key}, or the one string there. */
    List<String> texts(String key) {
        JsonNode value = any(key);
        if (value != null && value.isTextual()) {
            return List.of(value.textValue());
        }
        List<String> all = new ArrayList<>();
        for (JsonNode element : array(key)) {
            if (!element.isTextual()) {
                throw new TranslationException(path(key) + "[" + all.size() + "]", "expected a string");
            }
            all.add(element.textValue());
        }
        return all;
    }

    boolean isText(String key) {
        JsonNode value = any(key);
        return value != null && value.isTextual();
    }

    /** Drops these fields without a report to the client: defaults, hints, and fields without effect. */
    void ignore(String... keys) {
        known.addAll(Set.of(keys));
    }

    /** Drops each field that was neither read nor ignored, and reports it to the client, unless it is empty. */
    void dropOthers() {
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            if (!known.contains(field.getKey()) && !isEmpty(field.getValue())) {
                drops.field(path(cut(field.getKey())));
            }
        }
    }

    /** The keys that were not read so far and whose values are not {@code null}. */
    List<String> others() {
        return object.properties().stream()
                .filter(field ->
                        !known.contains(field.getKey()) && !field.getValue().isNull())
                .map(Map.Entry::getKey)
                .toList();
    }

    /** The dropped fields of the whole body so far that are reported to the client. */
    List<DroppedField> dropped() {
        return drops.all();
    }

    /** Reports to the client that a field of this object was dropped. */
    void tell(String key) {
        drops.field(path(key));
    }

    /** Refuses each of these fields unless it is empty or {@code false}. */
    void refuseAny(String... keys) {
        for (String key : keys) {
            JsonNode value = any(key);
            if (value != null && !isEmpty(value) && !value.equals(BooleanNode.FALSE)) {
                throw refuse(key, "changes the answer and cannot be translated");
            }
        }
    }

    /** Refuses a number unless it is the one without effect. */
    void refuseUnless(String key, double neutral) {
        Double value = number(key);
        if (value != null && value != neutral) {
            throw refuse(key, "changes the answer and cannot be translated");
        }
    }

    private static boolean isEmpty(JsonNode value) {
        return value.isNull()
                || (value.isContainerNode() && value.isEmpty())
                || (value.isTextual() && value.textValue().isEmpty());
    }

    private static String cut(String key) {
        return key.length() <= MAX_TOLD ? key : key.substring(0, MAX_TOLD);
    }

    private Iterable<JsonNode> array(String key) {
        JsonNode value = any(key);
        if (value == null) {
            return List.of();
        }
        if (value instanceof ArrayNode array) {
            return array;
        }
        throw refuse(key, "expected an array");
    }

    private static String snakeCase(String key) {
        StringBuilder name = new StringBuilder();
        for (int i = 0; i < key.length(); i++) {
            char c = key.charAt(i);
            name.append(Character.isUpperCase(c) ? "_" + Character.toLowerCase(c) : String.valueOf(c));
        }
        return name.toString();
    }
}
