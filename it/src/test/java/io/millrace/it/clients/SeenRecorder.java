package io.millrace.it.clients;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Records what an SDK on this JVM shows during its stream, so that it is known after an error too. */
final class SeenRecorder {
    private final String name;
    private final StringBuilder text = new StringBuilder();
    private final Map<Long, ToolCallBuilder> toolCalls = new LinkedHashMap<>();
    private int deltas;
    private long firstNanos;
    private long lastNanos;
    private Seen.Usage usage;
    private String finish;

    SeenRecorder(String name) {
        this.name = name;
    }

    void delta(String piece) {
        if (piece.isEmpty()) {
            return;
        }
        lastNanos = System.nanoTime();
        if (deltas++ == 0) {
            firstNanos = lastNanos;
        }
        text.append(piece);
    }

    void toolName(long index, String toolName) {
        toolCall(index).name = toolName;
    }

    void toolArguments(long index, String piece) {
        toolCall(index).arguments.append(piece);
    }

    void usage(long input, long output) {
        usage = new Seen.Usage(input, output);
    }

    void finish(String reason) {
        finish = reason;
    }

    /** The record of a stream that ended well. */
    Seen success() {
        return seen(null);
    }

    /** The record of a stream that ended in {@code error}. */
    Seen failure(Throwable error, Integer status) {
        var classes = new ArrayList<String>();
        for (Class<?> type = error.getClass(); type != Object.class; type = type.getSuperclass()) {
            classes.add(type.getSimpleName());
        }
        return seen(new Seen.Failure(classes, status, String.valueOf(error.getMessage())));
    }

    private Seen seen(Seen.Failure failure) {
        List<Seen.ToolCall> calls = toolCalls.values().stream()
                .map(call -> new Seen.ToolCall(call.name, call.arguments.toString()))
                .toList();
        var spreadMs = TimeUnit.NANOSECONDS.toMillis(lastNanos - firstNanos);
        return new Seen(name, text.toString(), deltas, spreadMs, calls, usage, finish, failure);
    }

    private ToolCallBuilder toolCall(long index) {
        return toolCalls.computeIfAbsent(index, unused -> new ToolCallBuilder());
    }

    private static final class ToolCallBuilder {
        private final StringBuilder arguments = new StringBuilder();
        private String name = "";
    }
}
