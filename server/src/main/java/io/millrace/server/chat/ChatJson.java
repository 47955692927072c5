package io.millrace.server.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.translate.StopReason;
import io.millrace.codec.translate.TokenCounts;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The JSON that {@code /chat} writes. */
final class ChatJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ChatJson() {}

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    /** Adds the counts that were reported. */
    static void addCounts(ObjectNode to, TokenCounts counts) {
        addCount(to, "input_tokens", counts.input());
        addCount(to, "output_tokens", counts.output());
        addCount(to, "cached_input_tokens", counts.cacheRead());
        addCount(to, "reasoning_tokens", counts.reasoning());
    }

    /** The word for a reason, null if there is no reason. */
    static @Nullable String label(@Nullable StopReason reason) {
        if (reason == null) {
            return null;
        }
        return switch (reason) {
            case END, STOP_SEQUENCE -> "stop";
            default -> reason.name().toLowerCase(Locale.ROOT);
        };
    }

    /** {@code json} as text. */
    static String text(ObjectNode json) {
        try {
            return JSON.writeValueAsString(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e); // cannot happen: any tree can be written
        }
    }

    private static void addCount(ObjectNode to, String name, long count) {
        if (count >= 0) {
            to.put(name, count);
        }
    }
}
