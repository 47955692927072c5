package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The response object around the items of a Responses answer. It repeats the settings of the request, as OpenAI does.
 */
final class ResponsesEnvelope {
    private static final String PREFIX = "resp_";

    private final ObjectNode settings;
    private final @Nullable String instructions;

    private String id = PREFIX;
    private String model;
    private long createdSeconds;

    ResponsesEnvelope(ModelRequest request) {
        model = request.model();
        instructions = request.system().isEmpty() ? null : String.join("\n\n", request.system());
        settings = ResponsesSettings.echoed(request);
    }

    void start(@Nullable String answerId, @Nullable String answerModel, long created) {
        String given = answerId == null || answerId.isEmpty() ? CallIds.fresh().substring("call_".length()) : answerId;
        id = given.startsWith(PREFIX) ? given : PREFIX + given;
        model = answerModel == null ? model : answerModel;
        createdSeconds = created <= 0 ? Instant.now().getEpochSecond() : created;
    }

    /** An id for an item: {@code msg_…_0}. */
    String itemId(String kind, int index) {
        return kind + "_" + id.substring(PREFIX.length()) + "_" + index;
    }

    /**
     * Puts the response's fields into an open object.
     *
     * @param incomplete why the answer is incomplete; null if it is complete or not over
     * @param items the items so far
     */
    void put(JsonText json, String status, @Nullable String incomplete, List<ResponsesItem> items, TokenCounts usage) {
        json.put("id", id)
                .put("object", "response")
                .put("created_at", createdSeconds)
                .put("status", status)
                .put("background", false)
                .putNull("error");
        if (incomplete == null) {
            json.putNull("incomplete_details");
        } else {
            json.object("incomplete_details").put("reason", incomplete).endObject();
        }
        json.put("instructions", instructions).put("model", model).array("output");
        for (ResponsesItem item : items) {
            json.object();
            item.put(json);
            json.endObject();
        }
        json.endArray();
        putSettings(json);
        putUsage(json, usage);
    }

    private void putSettings(JsonText json) {
        for (Map.Entry<String, JsonNode> setting : settings.properties()) {
            json.putJson(setting.getKey(), setting.getValue().toString());
        }
        json.putNull("previous_response_id")
                .put("store", false)
                .put("truncation", "disabled")
                .putJson("metadata", "{}");
    }

    /** Puts the counts. An unknown count is zero. If no count is known, there is no usage. */
    private static void putUsage(JsonText json, TokenCounts usage) {
        if (!usage.isKnown()) {
            json.putNull("usage");
            return;
        }
        long input = Math.max(0, usage.input());
        long output = Math.max(0, usage.output());
        json.object("usage")
                .put("input_tokens", input)
                .object("input_tokens_details")
                .put("cached_tokens", Math.max(0, usage.cacheRead()));
        if (usage.cacheWrite() >= 0) {
            json.put("cache_write_tokens", usage.cacheWrite());
        }
        json.endObject()
                .put("output_tokens", output)
                .object("output_tokens_details")
                .put("reasoning_tokens", Math.max(0, usage.reasoning()))
                .endObject()
                .put("total_tokens", input + output)
                .endObject();
    }
}
