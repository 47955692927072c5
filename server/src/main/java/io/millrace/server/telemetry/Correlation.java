package io.millrace.server.telemetry;

import io.netty.handler.codec.http.HttpHeaders;
import org.jspecify.annotations.Nullable;

/**
 * What others call a request, so that their logs can be found.
 *
 * @param requestId the client's {@code x-request-id}; null if it has none
 * @param traceId the trace in the client's {@code traceparent} (W3C Trace Context), or the one that begins here; null if
 *     there is none
 * @param trace null if the relay takes no part in a trace
 */
public record Correlation(
        @Nullable String requestId,
        @Nullable String traceId,
        @Nullable Trace trace) {
    /** Nothing is known. */
    public static final Correlation NONE = new Correlation(null, null, null);

    private static final int MAX_ID = 128;
    private static final int TRACE_START = 3;
    private static final int TRACE_END = 35;

    /** The names in the head of a client's request. */
    public static Correlation of(HttpHeaders headers) {
        String id = shortened(headers.get("x-request-id"));
        String parent = headers.get(Trace.PARENT);
        String trace = parent == null ? null : traceId(parent);
        return id == null && trace == null ? NONE : new Correlation(id, trace, null);
    }

    /** The name that an upstream has given to a request, in the head of its response; null if it has none. */
    public static @Nullable String ofUpstream(HttpHeaders headers) {
        String id = headers.get("x-request-id");
        return shortened(id != null ? id : headers.get("request-id"));
    }

    private static @Nullable String shortened(@Nullable String id) {
        return id == null || id.length() <= MAX_ID ? id : id.substring(0, MAX_ID);
    }

    private static @Nullable String traceId(String parent) {
        if (parent.length() <= TRACE_END || parent.charAt(TRACE_START - 1) != '-' || parent.charAt(TRACE_END) != '-') {
            return null;
        }
        for (int i = TRACE_START; i < TRACE_END; i++) {
            if (Character.digit(parent.charAt(i), 16) < 0) {
                return null;
            }
        }
        return parent.substring(TRACE_START, TRACE_END);
    }
}
