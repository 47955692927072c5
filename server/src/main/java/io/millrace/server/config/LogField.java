package io.millrace.server.config;

import java.util.Locale;

/** A field of the access log. */
public enum LogField {
    DIALECT,
    TRANSLATED_TO,
    DROPPED,
    MODEL,
    SERVED_MODEL,
    ROUTE,
    UPSTREAM,
    ORIGIN,
    UPSTREAM_REQUEST_ID,
    STATUS,
    OUTCOME,
    ERROR,
    ERROR_MESSAGE,
    FINISH,
    TERMINAL,
    ATTEMPTS,
    FAILURES,
    FAILED_ATTEMPTS,
    FRAMES,
    OUTPUT_FRAMES,
    REQUEST_BYTES,
    RESPONSE_BYTES,
    USAGE,
    TIME,
    ID,
    CLIENT_IP,
    CLIENT,
    CLIENT_KEY,
    PROTOCOL,
    TLS,
    METHOD,
    PATH,
    CLIENT_REQUEST_ID,
    TRACE_ID,
    STREAM,
    READERS,
    CLIENT_LEFT_MS,
    UNREAD_MS,
    FROM,
    TO,
    DURATION_MS,
    TTFT_MS,
    UPSTREAM_TTFT_MS,
    CONNECT_MS,
    HEAD_MS,
    FIRST_FRAME_MS,
    LONGEST_GAP_MS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    CACHED_TOKENS,
    CACHE_WRITE_TOKENS,
    REASONING_TOKENS;

    private final String label = name().toLowerCase(Locale.ROOT);

    /** The name in the log, such as {@code client_ip}. */
    public String label() {
        return label;
    }
}
