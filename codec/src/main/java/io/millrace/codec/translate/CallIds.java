package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Ids of tool calls that carry values for which a client has no other field: the reasoning before the call, with its
 * seal, and the call's own seal. Every SDK sends the id back unchanged. So these values come back with the next request
 * even if a client keeps only the calls of an answer.
 *
 * <pre>
 * id = native-id [ "__mr1_" base64url( deflate( json ) ) ]      ; only letters, digits, "_" and "-", as ids have
 * </pre>
 */
final class CallIds {
    private static final String MARK = "__mr1_";
    /** The most bytes that one id carries, inflated. A call with more reasoning carries none. */
    static final int MAX_BYTES = 1024 * 1024;
    /** The most inflated bytes per packed byte in the ids of a request, besides {@link #MAX_BYTES}. */
    private static final int MAX_RATIO = 4;

    /** How many bytes the next ids may carry. */
    private long left = MAX_BYTES;

    /**
     * For the ids of one request. A few hundred bytes can inflate to megabytes, so all ids of a request have one limit.
     */
    CallIds() {}

    /**
     * The values that an id carries: the provider's own id, the reasoning before the call, and the call's seal, which
     * may be null.
     */
    record Carried(
            String id,
            List<Part.Reasoning> reasoning,
            @Nullable Seal seal) {}

    /** A new id for a call whose provider gives it none. */
    static String fresh() {
        return "call_" + UUID.randomUUID().toString().replace("-", "").substring(0, 24);
    }

    /**
     * The id for the client. It is the provider's own if there is nothing to carry. Only sealed reasoning is carried.
     */
    static String encode(String id, List<Part.Reasoning> reasoning, @Nullable Seal seal) {
        ObjectNode json = Json.object();
        for (Part.Reasoning part : reasoning) {
            if (part.seal() != null) {
                put(json.withArray("r").addObject().put("t", part.text()), part.seal());
            }
        }
        if (seal != null) {
            put(json, seal);
        }
        if (json.isEmpty()) {
            return id;
        }
        byte[] bytes = Json.bytes(json);
        return bytes.length > MAX_BYTES
                ? id
                : id + MARK + Base64.getUrlEncoder().withoutPadding().encodeToString(deflate(bytes));
    }

    /** The provider's own id, which a call and its result share. */
    static String plain(String id) {
        int mark = id.indexOf(MARK);
        return mark > 0 ? id.substring(0, mark) : id;
    }

    /**
     * The values that {@link #encode} put into the id under {@code key}. Any other id carries nothing.
     *
     * @throws TranslationException if the ids of the request carry more than the limit
     */
    Carried decode(JsonFields call, String key) {
        String id = call.requiredText(key);
        int mark = id.indexOf(MARK);
        if (mark > 0) {
            try {
                byte[] packed = Base64.getUrlDecoder().decode(id.substring(mark + MARK.length()));
                left += (long) MAX_RATIO * packed.length;
                byte[] bytes = inflate(packed, (int) Math.min(left, MAX_BYTES));
                if (bytes == null) {
                    throw call.refuse(key, "the calls' ids carry more than they may");
                }
                left -= bytes.length;
                ObjectNode json = Json.parseObject(bytes, 0, bytes.length);
                if (json != null) {
                    return carried(plain(id), json);
                }
            } catch (IOException | IllegalArgumentException e) {
                return new Carried(plain(id), List.of(), null);
            }
        }
        return new Carried(plain(id), List.of(), null);
    }

    private static Carried carried(String id, ObjectNode json) {
        List<Part.Reasoning> reasoning = new ArrayList<>();
        for (JsonNode entry : json.path("r")) {
            if (entry.has("v")) {
                reasoning.add(new Part.Reasoning(Json.text(entry, "t"), seal(entry)));
            }
        }
        return new Carried(id, reasoning, seal(json));
    }

    private static void put(ObjectNode json, Seal seal) {
        json.put("o", seal.origin().name()).put("k", seal.kind()).put("v", seal.value());
    }

    private static @Nullable Seal seal(JsonNode json) {
        return json.has("v")
                ? new Seal(Dialect.valueOf(Json.text(json, "o")), Json.text(json, "k"), Json.text(json, "v"))
                : null;
    }

    private static byte[] deflate(byte[] bytes) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(packed)) {
            out.write(bytes);
        } catch (IOException e) {
            throw new IllegalStateException("memory was not written", e);
        }
        return packed.toByteArray();
    }

    /** The inflated bytes, {@code null} if there are more than {@code most}. */
    private static byte @Nullable [] inflate(byte[] packed, int most) throws IOException {
        try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(packed))) {
            byte[] bytes = in.readNBytes(most + 1);
            return bytes.length > most ? null : bytes;
        }
    }
}
