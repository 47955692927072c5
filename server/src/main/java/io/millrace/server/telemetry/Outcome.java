package io.millrace.server.telemetry;

import java.util.Locale;

/** How an exchange ended, for the access log and the metrics. */
public enum Outcome {
    /** The client got the whole response; a stream with its terminal. */
    COMPLETED,
    /** The upstream's own error was relayed: a status of 400 or more, or an error event. */
    UPSTREAM_ERROR,
    /** No connection, no answer, or no usable answer. The client got a 502, 503 or 504 of the relay's own. */
    UPSTREAM_FAILED,
    /** The stream ended before its terminal. */
    UPSTREAM_TRUNCATED,
    /** The connection to the upstream broke inside the response. */
    UPSTREAM_RESET,
    /** The upstream sent nothing for the idle limit. */
    UPSTREAM_IDLE,
    /** The upstream sent no output for the limit that holds. */
    UPSTREAM_NO_OUTPUT,
    /** The client asked for an early end of the stream, and got it. */
    STOPPED,
    /** The client left before the end. */
    CLIENT_GONE,
    /** The drain limit cut the stream. */
    DRAINED,
    /** Nobody read the stream for longer than its route allows. */
    UNREAD,
    /** A client followed a stream that another request has begun. */
    RESUMED,
    /** The relay was short of memory, and cut an exchange that held much of it. */
    OVERLOADED,
    /** The relay refused the request. */
    REFUSED,
    /** The relay answered by itself. */
    LOCAL;

    private final String label = name().toLowerCase(Locale.ROOT);

    /** The name in logs and metrics, such as {@code client_gone}. */
    public String label() {
        return label;
    }
}
