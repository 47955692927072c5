package io.millrace.codec.translate;

import java.util.List;

/** The common parts of streamed and whole answers of Chat Completions. */
final class ChatShapes {
    /** The fields in which servers send readable reasoning. OpenAI has none of them. */
    static final List<String> REASONING_FIELDS = List.of("reasoning_content", "reasoning", "reasoning_text");

    private ChatShapes() {}

    static String finishReason(StopReason reason) {
        return switch (reason) {
            case END, STOP_SEQUENCE, PAUSE, STOPPED, OTHER -> "stop";
            case LENGTH, CONTEXT_FULL -> "length";
            case TOOL_CALLS -> "tool_calls";
            case CONTENT_FILTER, REFUSAL -> "content_filter";
        };
    }

    /** Puts an image in OpenRouter's form into an open array. */
    static void putImage(JsonText images, int index, Part.Media image) {
        images.object()
                .put("type", "image_url")
                .put("index", index)
                .object("image_url")
                .put("url", image.link())
                .endObject()
                .endObject();
    }

    static void putCitation(JsonText json, Part.Citation citation) {
        json.object()
                .put("type", "url_citation")
                .object("url_citation")
                .put("start_index", citation.start())
                .put("end_index", citation.end())
                .put("title", citation.title())
                .put("url", citation.url())
                .endObject()
                .endObject();
    }

    /** The finish reason for a client of legacy functions. */
    static String legacyFinishReason(StopReason reason) {
        return reason == StopReason.TOOL_CALLS ? "function_call" : finishReason(reason);
    }

    /** The counts as the value of {@code usage}. */
    static String usage(TokenCounts counts) {
        long input = Math.max(0, counts.input());
        long output = Math.max(0, counts.output());
        JsonText json = new JsonText()
                .object()
                .put("prompt_tokens", input)
                .put("completion_tokens", output)
                .put("total_tokens", input + output);
        if (counts.cacheRead() >= 0 || counts.cacheWrite() >= 0) {
            json.object("prompt_tokens_details").put("cached_tokens", Math.max(0, counts.cacheRead()));
            if (counts.cacheWrite() >= 0) {
                json.put("cache_write_tokens", counts.cacheWrite());
            }
            json.endObject();
        }
        if (counts.reasoning() >= 0) {
            json.object("completion_tokens_details")
                    .put("reasoning_tokens", counts.reasoning())
                    .endObject();
        }
        return json.endObject().text();
    }
}
