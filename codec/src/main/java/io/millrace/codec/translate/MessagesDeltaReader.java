package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads Messages events and answers. The use of a provider's tool is reported when it is complete. */
final class MessagesDeltaReader extends FrameReader {
    private static final Block PASSED_OVER = new Block(null, null);

    private final CallAssembler calls = new CallAssembler(Set.of());

    private static final int BLOCK_BYTES = 128;

    /** The blocks that have begun and have not ended. */
    private final Map<Integer, Block> blocks = new HashMap<>();

    private final StringBuilder signature = new StringBuilder();
    private long inputChars;
    private boolean stopped;
    private long uncached = -1;
    private long cacheRead = -1;
    private long cacheWrite = -1;

    private final MessagesHosted hosted = new MessagesHosted();

    /** The sources of the open text block. */
    private final List<Part.Citation> citations = new ArrayList<>();

    private long citationChars;

    /** The code points of the text so far, and those before the open block. */
    private int told;

    private int blockStart;

    /** A block that calls a tool of the provider: its id, its name, and its input so far. */
    private record Ask(String id, String name, StringBuilder input) {}

    private final Map<Integer, Ask> asks = new HashMap<>();

    /** A block. A block of a call keeps its first arguments until deltas replace them. */
    private static final class Block {
        private final @Nullable AssembledCall call;
        private @Nullable String input;

        Block(@Nullable AssembledCall call, @Nullable String input) {
            this.call = call;
            this.input = input;
        }
    }

    MessagesDeltaReader() {
        super(Dialect.MESSAGES);
    }

    @Override
    void read(ObjectNode json, DeltaSink out) {
        String type = Json.text(json, "type");
        switch (type) {
            case "message_start" -> readHead(json.path("message"), out);
            case "content_block_start" -> readBlock(json.path("index").asInt(), json.path("content_block"), out);
            case "content_block_delta" -> readDelta(json.path("index").asInt(), json.path("delta"), out);
            case "content_block_stop" -> endBlock(json.path("index").asInt(), out);
            case "message_delta" -> {
                readStop(json.path("delta"), out);
                readUsage(json.path("usage"), out);
            }
            case "message_stop" -> end(out);
            case "error" -> out.error(UpstreamErrors.of(json));
            default -> {
                if (type.isEmpty() ? UpstreamErrors.isError(json) : UpstreamErrors.isSaid(json.path("error"))) {
                    out.error(UpstreamErrors.of(json));
                }
            }
        }
    }

    @Override
    void done(DeltaSink out) {
        // The dialect does not have this frame. Some servers send it after the end.
    }

    @Override
    public void finish(DeltaSink out) {
        // The stream was cut, because there was no message_stop.
    }

    @Override
    public long heldBytes() {
        return Character.BYTES
                        * (calls.heldChars() + inputChars + citationChars + signature.length() + hosted.heldChars())
                + (long) BLOCK_BYTES * (blocks.size() + asks.size());
    }

    @Override
    void readAnswer(ObjectNode json, DeltaSink out) {
        if (!json.path("content").isArray()) {
            boolean error = UpstreamErrors.isError(json);
            out.error(error ? UpstreamErrors.of(json) : AnswerGrammar.garbled("it has no content"));
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
        end(out);
    }

    private void end(DeltaSink out) {
        List.copyOf(blocks.keySet()).forEach(index -> endBlock(index, out));
        calls.finish(out);
        if (!stopped && calls.isWhole()) {
            out.stop(StopReason.TOOL_CALLS, null);
        }
        out.end();
    }

    private void readHead(JsonNode message, DeltaSink out) {
        out.start(Json.textOrNull(message, "id"), Json.textOrNull(message, "model"), -1);
        readUsage(message.path("usage"), out);
    }

    private void readBlock(int index, JsonNode block, DeltaSink out) {
        if (blocks.containsKey(index)) {
            endBlock(index, out);
        }
        switch (Json.text(block, "type")) {
            case "text" -> {
                blockStart = told;
                block.path("citations").forEach(citation -> cite(citation, out));
                readText(Json.text(block, "text"), out);
            }
            case "server_tool_use" -> {
                JsonNode input = block.path("input");
                var said = new StringBuilder(input.isEmpty() ? "" : input.toString());
                asks.put(index, new Ask(Json.text(block, "id"), Json.text(block, "name"), said));
                blocks.put(index, PASSED_OVER);
            }
            case "thinking" -> out.reasoning(Json.text(block, "thinking"));
            case "redacted_thinking" -> out.reasoningEnd(MessagesShapes.redacted(Json.text(block, "data")));
            case "image" -> readImage(block.path("source"), out);
            case "tool_use" -> {
                AssembledCall call = calls.begin(Json.text(block, "id"), Json.text(block, "name"), null, out);
                JsonNode began = block.path("input");
                String input = began.isEmpty() ? null : began.toString();
                inputChars += input == null ? 0 : input.length();
                blocks.put(index, new Block(call, input));
                if (inputChars > AnswerGrammar.MAX_CHARS) {
                    out.error(AnswerGrammar.garbled("it has more than " + AnswerGrammar.MAX_CHARS + " characters"));
                }
            }
            default -> {
                blocks.put(index, PASSED_OVER);
                Part.HostedUse use = has(block, "tool_use_id") ? hosted.result(block) : null;
                if (use != null) {
                    out.hosted(use);
                }
            }
        }
    }

    private void readText(String text, DeltaSink out) {
        told += CodePoints.count(text);
        out.text(text);
    }

    /** Reports a source. Other dialects can use only a source with a link. */
    private void cite(JsonNode cited, DeltaSink out) {
        String url = Json.text(cited, "url");
        if (url.isEmpty()) {
            return;
        }
        var citation =
                new Part.Citation(url, Json.text(cited, "title"), Json.text(cited, "cited_text"), blockStart, -1);
        citations.add(citation);
        citationChars += BlockQueue.BLOCK_CHARS + citation.chars();
        if (citationChars > AnswerGrammar.MAX_CHARS) {
            out.error(AnswerGrammar.garbled("it has more than " + AnswerGrammar.MAX_CHARS + " characters"));
        }
    }

    private void tellCitations(DeltaSink out) {
        for (Part.Citation cited : citations) {
            out.citation(new Part.Citation(cited.url(), cited.title(), cited.quote(), blockStart, told));
        }
        citations.clear();
        citationChars = 0;
    }

    /** Reads an image. The protocol has no images in answers, but compatible servers may send them. */
    private static void readImage(JsonNode source, DeltaSink out) {
        String type = Json.text(source, "media_type");
        String data = Json.text(source, "data");
        String url = Json.text(source, "url");
        if (!data.isEmpty() || !url.isEmpty()) {
            out.media(
                    data.isEmpty()
                            ? new Part.Media("image/*", null, url)
                            : new Part.Media(type.isEmpty() ? "image/png" : type, data, null));
        }
    }

    private void readDelta(int index, JsonNode delta, DeltaSink out) {
        switch (Json.text(delta, "type")) {
            case "text_delta" -> readText(Json.text(delta, "text"), out);
            case "citations_delta" -> cite(delta.path("citation"), out);
            case "thinking_delta" -> out.reasoning(Json.text(delta, "thinking"));
            case "signature_delta" -> signature.append(Json.text(delta, "signature"));
            case "input_json_delta" -> readArguments(index, Json.text(delta, "partial_json"), out);
            default -> {
                // A type that is not known yet is not part of the text.
            }
        }
    }

    private void readArguments(int index, String json, DeltaSink out) {
        Block block = blocks.get(index);
        Ask ask = asks.get(index);
        if (block == null) {
            calls.fragment(new CallAssembler.Fragment(index, true, "", "", json, null), out);
        } else if (ask != null) {
            inputChars += json.length();
            ask.input().append(json);
        } else if (block.call != null) {
            block.input = json.isEmpty() ? block.input : null;
            calls.arguments(block.call, json, out);
        }
    }

    private void endBlock(int index, DeltaSink out) {
        Block block = blocks.remove(index);
        Ask ask = asks.remove(index);
        if (ask != null) {
            hosted.ask(ask.id(), ask.name(), ask.input().toString());
        }
        if (block == null) {
            tellCitations(out);
            out.reasoningEnd(signature.length() == 0 ? null : MessagesShapes.signature(signature.toString()));
            signature.setLength(0);
        } else if (block.call != null) {
            if (block.input != null) {
                calls.arguments(block.call, block.input, out);
            }
            calls.end(block.call, out);
        }
    }

    private void readStop(JsonNode delta, DeltaSink out) {
        String reason = Json.textOrNull(delta, "stop_reason");
        if (reason == null || reason.isBlank()) {
            return;
        }
        if (StopWords.isFailure(reason)) {
            out.error(StopWords.failure(reason, null));
            return;
        }
        stopped = true;
        out.stop(StopWords.meaning(reason), Json.textOrNull(delta, "stop_sequence"));
    }

    /**
     * Reads counts. The dialect's input tokens do not include those that a cache read or wrote. Each event has only
     * some of the counts.
     */
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

    /** The newer of two counts. A zero after a count is from a server that does not count in that event. */
    private static long newer(long known, long told) {
        return told <= 0 && known >= 0 ? known : told;
    }
}
