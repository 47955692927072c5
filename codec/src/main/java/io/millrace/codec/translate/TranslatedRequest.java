package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A request in an upstream's dialect.
 *
 * @param path path and query under the upstream's root, which begin with a version, such as {@code /v1/messages}
 * @param body JSON
 * @param stream whether it asks for a stream
 * @param dropped the parts of the client's request that were left out, to report them to the client; a limited number
 */
@SuppressWarnings("ArrayRecordComponent") // passed on, never compared
public record TranslatedRequest(String path, byte[] body, boolean stream, List<DroppedField> dropped) {
    /** Copies the list. */
    public TranslatedRequest {
        dropped = List.copyOf(dropped);
    }

    /** A request with this body, and with the other values of the client's request. */
    static TranslatedRequest of(String path, ObjectNode body, ModelRequest request) {
        return new TranslatedRequest(path, Json.bytes(body), request.stream(), request.dropped());
    }
}
