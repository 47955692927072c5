package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.Map;

/** Reads Messages events and answers. Blocks of tools that the provider runs itself are passed over. */
final class MessagesDeltaReader extends FrameReader {
    private static final int NO_CALL = -1;

    /** The call of each block that is one. */
    private final Map<Integer, Integer> calls = new HashMap<>();

    private final StringBuilder signature = new StringBuilder();
    private int callCount;

    /** The arguments with which the last call began, until it is known whether deltas repeat them; else null. */
    private String input;

    private long uncached = -1;
    private long cacheRead = -1;
    private long cacheWrite = -1;

    @Override
    void read(ObjectNode json, DeltaSink out) {
        switch (Json.text(json, "type")) {
            case "message_start" -> readHead(json.path("message"), out);
            case "content_block_start" -> readBlock(json.path("index").asInt(), json.path("content_block"), out);
            case "content_block_delta" -> readDelta(json.path("index").asInt(), json.path("delta"), out);
            case "content_block_stop" -> endBlock(json.path("index").asInt(NO_CALL), out);
            case "message_delta" -> {
                tellInput(out);
                readStop(json.path("delta"), out);
                readUsage(json.path("usage"), out);
            }
            case "message_stop" -> {
                tellInput(out);
                out.end();
            }
            case "error" -> out.error(UpstreamErrors.of(json));
            default -> {
                if (has(json, "error")) {
                    out.error(UpstreamErrors.of(json));
                }
            }
        }
    }

    @Override
    void done(DeltaSink out) {
        // Not of this dialect; some servers send it behind the end.
    }

    @Override
    public void finish(DeltaSink out) {
        // Without message_stop the stream was cut.
    }

    @Override
    void readAnswer(ObjectNode json, DeltaSink out) {
        if (!json.path("content").isArray()) {
            out.error(has(json, "error") ? UpstreamErrors.of(json) : AnswerGrammar.garbled("it has no content"));
            return;
        }
        readHead(json, out);
        int index = 0;
        for (JsonNode block : json.path("content")) {
            readBlock(index, block, out);
            signature.append(Json.text(block, "signature"));
            endBlock(index++, out);
        }
        readStop(json, out);
        out.end();
    }

    private void readHead(JsonNode message, DeltaSink out) {
        out.start(Json.textOrNull(message, "id"), Json.textOrNull(message, "model"), -1);
        readUsage(message.path("usage"), out);
    }

    private void readBlock(int index, JsonNode block, DeltaSink out) {
        tellInput(out);
        switch (Json.text(block, "type")) {
            case "text" -> out.text(Json.text(block, "text"));
            case "thinking" -> out.reasoning(Json.text(block, "thinking"));
            case "redacted_thinking" -> out.reasoningEnd(MessagesShapes.redacted(Json.text(block, "data")));
            case "tool_use" -> {
                int call = callCount++;
                calls.put(index, call);
                String id = Json.text(block, "id");
                out.toolCall(call, id.isEmpty() ? CallIds.fresh() : id, Json.text(block, "name"), null);
                JsonNode began = block.path("input");
                input = began.isEmpty() ? null : began.toString();
            }
            default -> calls.remove(index);
        }
    }

    /** Only the call that began last can be open. */
    private void tellInput(DeltaSink out) {
        if (input != null) {
            out.arguments(callCount - 1, input);
            input = null;
        }
    }

    private void readDelta(int index, JsonNode delta, DeltaSink out) {
        String type = Json.text(delta, "type");
        if (!type.equals("input_json_delta")) {
            tellInput(out);
        }
        switch (type) {
            case "text_delta" -> out.text(Json.text(delta, "text"));
            case "thinking_delta" -> out.reasoning(Json.text(delta, "thinking"));
            case "signature_delta" -> signature.append(Json.text(delta, "signature"));
            case "input_json_delta" -> {
                Integer call = calls.get(index);
                if (call != null) {
                    String json = Json.text(delta, "partial_json");
                    input = json.isEmpty() ? input : null;
                    out.arguments(call, json);
                }
            }
            default -> {
                // Citations and what may yet be invented are no part of the text.
            }
        }
    }

    private void endBlock(int index, DeltaSink out) {
        tellInput(out);
        Integer call = calls.remove(index);
        if (call != null) {
            out.toolCallEnd(call);
        } else {
            out.reasoningEnd(signature.length() == 0 ? null : MessagesShapes.signature(signature.toString()));
            signature.setLength(0);
        }
    }

    private void readStop(JsonNode delta, DeltaSink out) {
        String reason = Json.textOrNull(delta, "stop_reason");
        if (reason == null) {
            return;
        }
        out.stop(MessagesShapes.stopReason(reason), Json.textOrNull(delta, "stop_sequence"));
    }

    /** Here the input leaves out what a cache read or wrote; each event tells only what it knows. */
    private void readUsage(JsonNode usage, DeltaSink out) {
        uncached = newer(uncached, Json.count(usage, "input_tokens"));
        cacheRead = newer(cacheRead, Json.count(usage, "cache_read_input_tokens"));
        cacheWrite = newer(cacheWrite, Json.count(usage, "cache_creation_input_tokens"));
        long input = uncached < 0 ? -1 : uncached + Math.max(0, cacheRead) + Math.max(0, cacheWrite);
        out.usage(new TokenCounts(
                input,
                cacheRead,
                cacheWrite,
                Json.count(usage, "output_tokens"),
                Json.count(usage.path("output_tokens_details"), "thinking_tokens")));
    }

    private static long newer(long known, long told) {
        return told < 0 ? known : told;
    }
}
