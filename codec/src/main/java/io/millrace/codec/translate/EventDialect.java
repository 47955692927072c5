package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Recognises the dialect of a streamed event by the fields that only its events have. */
final class EventDialect {
    private static final List<Dialect> ALL = List.of(Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI);

    private EventDialect() {}

    /** Whether only this dialect has events like {@code event}. Errors and pings belong to no dialect. */
    static boolean isOf(Dialect dialect, JsonNode event) {
        return switch (dialect) {
            case CHAT -> event.path("choices").isArray();
            case GEMINI -> event.path("candidates").isArray();
            case RESPONSES -> Json.text(event, "type").startsWith("response.");
            case MESSAGES ->
                switch (Json.text(event, "type")) {
                    case "message_start", "content_block_start", "content_block_delta", "message_delta" -> true;
                    default -> false;
                };
            case UNKNOWN -> false;
        };
    }

    /** The dialect of {@code event}; null if it is not known. */
    static @Nullable Dialect of(JsonNode event) {
        for (Dialect dialect : ALL) {
            if (isOf(dialect, event)) {
                return dialect;
            }
        }
        return null;
    }
}
