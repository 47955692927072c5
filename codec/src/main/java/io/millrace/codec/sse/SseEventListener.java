package io.millrace.codec.sse;

/** Receives the events, comments and retry lines that an {@link SseEventParser} reads, in stream order. */
public interface SseEventListener {
    /** An event, at the blank line that ends it. */
    void onEvent(SseEvent event);

    /** A comment line, as soon as it ends: the text after its colon, including a leading space. Ignored by default. */
    default void onComment(String text) {}

    /** A valid {@code retry} line, as soon as it ends: the reconnection time in milliseconds. Ignored by default. */
    default void onRetry(long retryMs) {}
}
