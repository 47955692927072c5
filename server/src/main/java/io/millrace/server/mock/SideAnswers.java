package io.millrace.server.mock;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/** The answers of the mock on paths that generate nothing: models, embeddings, echo. */
final class SideAnswers {
    private static final ObjectMapper JSON =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);
    private static final int DIMENSIONS = 8;

    private SideAnswers() {}

    /** The list of models in the shape of the provider that path and headers belong to. */
    static String models(MockRequest request, String path) {
        if (path.startsWith("/v1beta")) {
            return "{\"models\":[{\"name\":\"models/mock\",\"displayName\":\"Mock\",\"supportedGenerationMethods\":[\"generateContent\"]}]}";
        }
        return request.headers().contains("anthropic-version")
                ? "{\"data\":[{\"type\":\"model\",\"id\":\"mock\",\"display_name\":\"Mock\",\"created_at\":\"2026-01-01T00:00:00Z\"}],\"has_more\":false,\"first_id\":\"mock\",\"last_id\":\"mock\"}"
                : "{\"object\":\"list\",\"data\":[{\"id\":\"mock\",\"object\":\"model\",\"created\":1767225600,\"owned_by\":\"millrace\"}]}";
    }

    /**
     * OpenAI embeddings: a short vector per input, as numbers or, if the request asks for it, in Base64. OpenAI's SDKs
     * ask for Base64.
     */
    static String embeddings(JsonNode request, String model) {
        var input = request.path("input");
        int count = input.isArray() ? input.size() : 1;
        boolean base64 = request.path("encoding_format").asText().equals("base64");
        var reply = JsonNodeFactory.instance.objectNode().put("object", "list").put("model", model);
        var data = reply.putArray("data");
        for (int i = 0; i < count; i++) {
            var item = data.addObject().put("object", "embedding").put("index", i);
            int seed = (input.isArray() ? input.get(i) : input).hashCode();
            if (base64) {
                var bytes = ByteBuffer.allocate(DIMENSIONS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                for (int d = 0; d < DIMENSIONS; d++) {
                    bytes.putFloat(component(seed, d));
                }
                item.put("embedding", Base64.getEncoder().encodeToString(bytes.array()));
            } else {
                var vector = item.putArray("embedding");
                for (int d = 0; d < DIMENSIONS; d++) {
                    vector.add(component(seed, d));
                }
            }
        }
        reply.putObject("usage").put("prompt_tokens", count).put("total_tokens", count);
        return reply.toString();
    }

    private static float component(int seed, int dimension) {
        return (float) Math.sin(seed + 31.0 * dimension);
    }

    /** The approximate number of tokens of a prompt: one for each four bytes of its request. */
    static String count(boolean gemini, int bytes) {
        return "{\"" + (gemini ? "totalTokens" : "input_tokens") + "\":" + (bytes / 4) + "}";
    }

    /** The counts of the server, with their names in snake case. */
    static String stats(MockStats stats) {
        return JSON.valueToTree(stats).toString();
    }

    /** The received requests, oldest first, without those to the mock's own paths. */
    static String requests(List<MockRequest> requests) {
        var reply = JSON.createArrayNode();
        for (MockRequest request : requests) {
            if (!request.uri().startsWith("/__mock/")) {
                var item = reply.addObject()
                        .put("number", request.number())
                        .put("method", request.method())
                        .put("uri", request.uri());
                addHeaders(request, item);
                item.put("body", new String(request.body(), StandardCharsets.UTF_8));
            }
        }
        return reply.toString();
    }

    private static void addHeaders(MockRequest request, ObjectNode reply) {
        var headers = reply.putArray("headers");
        request.headers()
                .forEach(header -> headers.addArray().add(header.getKey()).add(header.getValue()));
    }

    /** The received request. */
    static String echo(MockRequest request) {
        var reply = JSON.createObjectNode()
                .put("method", request.method())
                .put("uri", request.uri())
                .put("connection", request.connectionId());
        addHeaders(request, reply);
        return reply.put("body_length", request.body().length)
                .put("body_sha256", sha256(request.body()))
                .toString();
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
