package io.millrace.codec.sse;

import java.util.Objects;

/**
 * An event for a client: dispatched at a blank line after at least one {@code data} line (WHATWG HTML 9.2.6).
 *
 * @param type the {@code event} field of the block, or {@code message}
 * @param data the {@code data} lines joined by LF; may be empty
 * @param lastEventId the last {@code id} of the stream so far; empty if there is none
 */
public record SseEvent(String type, String data, String lastEventId) {
    /** The type of an event whose block has no type: {@value}. */
    public static final String DEFAULT_TYPE = "message";

    /** Verifies that no part is null. */
    public SseEvent {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(data, "data");
        Objects.requireNonNull(lastEventId, "lastEventId");
    }
}
