package io.millrace.codec.translate;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Reads and writes JSON for all dialects. */
final class Json {
    /**
     * The most characters of a string. It is longer than any body that is kept, because a document in Base64 is one
     * string.
     */
    private static final int MAX_STRING_CHARS = 64 * 1024 * 1024;

    /**
     * The deepest JSON that is written. Arguments, schemas and results are some levels deeper in one dialect than in
     * another. JSON that is read has at most 1,000 levels.
     */
    private static final int MAX_WRITTEN_DEPTH = 1100;

    static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(MAX_STRING_CHARS)
                            .build())
                    .streamWriteConstraints(StreamWriteConstraints.builder()
                            .maxNestingDepth(MAX_WRITTEN_DEPTH)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .configure(JsonParser.Feature.INCLUDE_SOURCE_IN_LOCATION, false)
            .build();

    /** Reads trees. It finds the deserializer once, while the mapper finds it each time. */
    private static final ObjectReader NODES = MAPPER.readerFor(JsonNode.class);

    private Json() {}

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** The object in the bytes; {@code null} if there is anything else, or a number that no decimal can hold. */
    static @Nullable ObjectNode parseObject(byte[] bytes, int from, int length) {
        try {
            return NODES.readValue(bytes, from, length) instanceof ObjectNode object ? object : null;
        } catch (IOException | NumberFormatException e) {
            return null;
        }
    }

    /** The object in the bytes, which may be the only element of a list, as Google sends errors. */
    static @Nullable ObjectNode parseOnlyObject(byte[] bytes, int from, int length) {
        try {
            JsonNode json = NODES.readValue(bytes, from, length);
            JsonNode only = json instanceof ArrayNode list && list.size() == 1 ? list.get(0) : json;
            return only instanceof ObjectNode object ? object : null;
        } catch (IOException | NumberFormatException e) {
            return null;
        }
    }

    /** The object in the text; {@code null} if there is anything else. */
    static @Nullable ObjectNode parseObject(String text) {
        try {
            return MAPPER.readTree(text) instanceof ObjectNode object ? object : null;
        } catch (JsonProcessingException | NumberFormatException e) {
            return null;
        }
    }

    /**
     * The arguments of a call as an object. No arguments become an empty object. Text that is no object becomes a field
     * of one.
     */
    static ObjectNode arguments(String text) {
        if (text.isBlank() || text.strip().equals("null")) {
            return object();
        }
        ObjectNode arguments = parseObject(text);
        return arguments == null ? object().put("invalid_json", text) : arguments;
    }

    /** The arguments of a call as the text of an object. A text that is an object stays unchanged. */
    static String argumentsText(String text) {
        return parseObject(text) == null ? arguments(text).toString() : text;
    }

    static byte[] bytes(JsonNode json) {
        try {
            return MAPPER.writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree was not written", e);
        }
    }

    /** Puts a value, unless it is {@code null}. */
    static void putKnown(ObjectNode object, String key, @Nullable String value) {
        if (value != null) {
            object.put(key, value);
        }
    }

    static void putKnown(ObjectNode object, String key, @Nullable Long value) {
        if (value != null) {
            object.put(key, value);
        }
    }

    static void putKnown(ObjectNode object, String key, @Nullable Double value) {
        if (value != null) {
            object.put(key, value);
        }
    }

    static void putKnown(ObjectNode object, String key, @Nullable Boolean value) {
        if (value != null) {
            object.put(key, value);
        }
    }

    static void putKnown(ObjectNode object, String key, @Nullable JsonNode value) {
        if (value != null) {
            object.set(key, value);
        }
    }

    /** The string under {@code key}, empty if there is none. */
    static String text(JsonNode object, String key) {
        return object.path(key).asText("");
    }

    /** The string under {@code key}, {@code null} if there is none. */
    static @Nullable String textOrNull(JsonNode object, String key) {
        JsonNode value = object.get(key);
        return value != null && value.isTextual() ? value.textValue() : null;
    }

    /** The count under {@code key}, {@code -1} if there is none. */
    static long count(JsonNode object, String key) {
        JsonNode value = object.path(key);
        return value.isNumber() && value.longValue() >= 0 ? value.longValue() : -1;
    }
}
