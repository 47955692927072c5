package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.server.format.ClientSide;
import io.millrace.server.http.Head;
import io.millrace.server.http.HeaderRules;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of the head of a stream, for those who read it later.
 *
 * @param id of the stream
 * @param status of the first head: 200 but for an answer that failed and was kept for who comes for it
 * @param dialect of the request, in which errors are told
 * @param passed fields of the first head that each head has again
 * @param lostEvent the event that ends the stream where its node is gone, in a format of the relay's own; null in others
 */
record LogHead(
        String id,
        int status,
        Dialect dialect,
        HttpHeaders passed,
        @Nullable String lostEvent) {
    private static final String LAST_EVENT = ".999999999999999999";
    private static final List<AsciiString> PASSED = List.of(
            HttpHeaderNames.CONTENT_TYPE,
            HttpHeaderNames.RETRY_AFTER,
            HeaderRules.REQUEST_ID,
            AsciiString.cached("request-id"),
            HeaderRules.UPSTREAM);

    /** Of a stream that begins with {@code head}. */
    static LogHead of(String id, Dialect dialect, HttpResponse head) {
        return of(id, head.status().code(), dialect, head.headers());
    }

    /** Of an answer with these fields. */
    static LogHead of(String id, int status, Dialect dialect, HttpHeaders headers) {
        HttpHeaders passed = DefaultHttpHeadersFactory.headersFactory().newEmptyHeaders();
        for (AsciiString name : PASSED) {
            String value = headers.get(name);
            if (value != null) {
                passed.set(name, value);
            }
        }
        return new LogHead(id, status, dialect, passed, null);
    }

    /**
     * The same with the event by which another node ends the stream if this one is gone. Its number is behind all others, so that
     * an EventSource that has it gets nothing more.
     */
    LogHead withLostEvent(ClientSide side, ByteBufAllocator alloc) {
        ByteBuf event = side.tellsErrors() ? side.errorFrame(alloc, RelayError.RELAY_LOST, Stores.LOST, -1, id) : null;
        if (event == null) {
            return this;
        }
        String text = event.toString(StandardCharsets.UTF_8);
        event.release();
        String numbered =
                text.replaceAll("(?m)^retry: .*\\n+", "").replaceAll("(?m)^id: .*$", "id: " + id + LAST_EVENT);
        return new LogHead(id, status, dialect, passed, numbered);
    }

    /** All of it, for another node. */
    String text() {
        var text = new StringBuilder();
        text.append(id)
                .append(' ')
                .append(status)
                .append(' ')
                .append(dialect.name())
                .append('\n');
        passed.forEach(field -> text.append(field.getKey())
                .append(": ")
                .append(field.getValue())
                .append('\n'));
        return text.append('\n').append(lostEvent == null ? "" : lostEvent).toString();
    }

    /** Reads what {@link #text} has written; null if it is something else. */
    static @Nullable LogHead read(String text) {
        int end = text.indexOf("\n\n");
        String[] lines = text.substring(0, Math.max(end, 0)).split("\n", -1);
        String[] words = lines[0].split(" ", -1);
        if (end < 0 || words.length != 3 || !words[1].matches("[1-5][0-9]{2}")) {
            return null;
        }
        HttpHeaders passed = DefaultHttpHeadersFactory.headersFactory().newEmptyHeaders();
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(": ");
            if (colon > 0) {
                passed.add(lines[i].substring(0, colon), lines[i].substring(colon + 2));
            }
        }
        String event = text.substring(end + 2);
        Dialect dialect = Dialect.UNKNOWN;
        for (Dialect each : Dialect.values()) {
            dialect = each.name().equals(words[2]) ? each : dialect;
        }
        return new LogHead(words[0], Integer.parseInt(words[1]), dialect, passed, event.isEmpty() ? null : event);
    }

    /** Whether the answer is an error. */
    boolean isFailure() {
        return status >= 400;
    }

    /** Whether it is an event stream, of which frames can be told apart. */
    boolean hasFrames() {
        return passed.get(HttpHeaderNames.CONTENT_TYPE, "").regionMatches(true, 0, "text/event-stream", 0, 17);
    }

    /** The head of a response that is a part of the stream. */
    HttpResponse again(String requestId) {
        HttpHeaders headers =
                DefaultHttpHeadersFactory.headersFactory().newHeaders().set(passed);
        headers.set(HttpHeaderNames.CACHE_CONTROL, "no-store, no-transform");
        headers.set(HeaderRules.ACCEL_BUFFERING, "no");
        headers.set("x-content-type-options", "nosniff");
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        headers.set(HeaderRules.STREAM_ID, id);
        return Head.ofResponse(HttpResponseStatus.valueOf(status), headers);
    }
}
