package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Recognizes the dialect of a streamed event by what only the events of that dialect have. */
final class EventDialect {
    private static final List<Dialect> ALL = List.of(Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI);

    private EventDialect() {}

    /** Whether {@code event} can be of no other dialect than this. Errors and pings are of none. */
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

    /** The dialect of {@code event}, null if it is of none that is known. */
    static @Nullable Dialect of(JsonNode event) {
        for (Dialect dialect : ALL) {
            if (isOf(dialect, event)) {
                return dialect;
            }
        }
        return null;
    }
}
