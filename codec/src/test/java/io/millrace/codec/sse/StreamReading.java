package io.millrace.codec.sse;

import java.util.ArrayList;
import java.util.List;

/** Everything that a parser reports about one stream. */
final class StreamReading implements SseEventListener {
    final List<SseEvent> events = new ArrayList<>();
    final List<String> comments = new ArrayList<>();
    Long retry;
    String lastEventId = "";
    int unknown;

    @Override
    public void onEvent(SseEvent event) {
        events.add(event);
    }

    @Override
    public void onComment(String text) {
        comments.add(text);
    }

    @Override
    public void onRetry(long retryMs) {
        retry = retryMs;
    }

    /** All that both parsers report, to compare by. */
    List<Object> parts() {
        return List.of(events, comments, String.valueOf(retry), lastEventId);
    }
}
