package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A request in an upstream's dialect.
 *
 * @param path path and query under the upstream's root, beginning with a version, such as {@code /v1/messages}
 * @param body JSON
 * @param stream whether it asks for a stream
 * @param dropped what was left out of the client's request, for the client to know; a limited number
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
public record TranslatedRequest(String path, byte[] body, boolean stream, List<DroppedField> dropped) {
    /** Copies the list. */
    public TranslatedRequest {
        dropped = List.copyOf(dropped);
    }

    /** The body as bytes, with what the request says of it. */
    static TranslatedRequest of(String path, ObjectNode body, ModelRequest request) {
        return new TranslatedRequest(path, Json.bytes(body), request.stream(), request.dropped());
    }
}
