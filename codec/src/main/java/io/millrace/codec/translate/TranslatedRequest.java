package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A request in an upstream's dialect.
 *
 * @param path path and query, such as {@code /v1/messages}; beginning with a version, as under the upstream's root
 * @param body JSON
 * @param stream whether it asks for a stream
 * @param dropped what was left out of the client's request and is told to it; not many
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
public record TranslatedRequest(String path, byte[] body, boolean stream, List<DroppedField> dropped) {
    /** Copies the list. */
    public TranslatedRequest {
        dropped = List.copyOf(dropped);
    }

    /** Of a request as it was written. */
    static TranslatedRequest of(String path, ObjectNode body, ModelRequest request) {
        return new TranslatedRequest(path, Json.bytes(body), request.stream(), request.dropped());
    }
}
