package io.millrace.bench.doctor;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The answer to one request.
 *
 * @param version the version of HTTP, such as {@code HTTP/1.1}
 * @param headers the header fields by name in lower case; if a name occurs several times, its last value
 * @param pieces the decoded body; a piece is what one read brought
 * @param times when the request was sent and when the answer came
 */
record Answer(String version, int status, Map<String, String> headers, List<Piece> pieces, End end, Times times) {
    /** The bytes of the body that one read brought. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Piece(byte[] bytes, long atNs) {}

    /**
     * Times on the clock of {@link System#nanoTime()}.
     *
     * @param sentNs when the request was sent
     * @param lastNs when the last byte of any kind came
     * @param endNs when reading stopped
     */
    record Times(long sentNs, long lastNs, long endNs) {
        /** From the request to the end of reading. */
        long wholeNs() {
            return endNs - sentNs;
        }
    }

    /** How the body ended. */
    enum End {
        /** It ended with its last chunk or its length. */
        WHOLE,
        /** It ended with the connection, as in HTTP/1.0. */
        CLOSED,
        /** It ended with the connection, before its announced end. */
        CUT,
        /** It ended by a reset. */
        RESET,
        /** It did not end in time. */
        OPEN
    }

    /** The header's value, {@code null} if there is none. */
    @Nullable
    String header(String name) {
        return headers.get(name);
    }

    boolean isEventStream() {
        return headers.getOrDefault("content-type", "").startsWith("text/event-stream");
    }

    String text() {
        var text = new StringBuilder();
        pieces.forEach(piece -> text.append(new String(piece.bytes, StandardCharsets.UTF_8)));
        return text.toString();
    }
}
