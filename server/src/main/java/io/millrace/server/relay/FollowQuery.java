package io.millrace.server.relay;

import io.millrace.server.http.HeaderRules;
import io.millrace.server.http.Target;
import io.millrace.server.replay.Seek;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * From where a request wants to read a stream, and in what form.
 *
 * @param kind what the request is
 * @param offset of the first byte; {@link #INVALID} if the request does not say it in one way
 * @param ids whether each event is to have its end as its id, for an EventSource
 * @param after the {@code sequence_number} behind which it goes on in place of an offset; {@link #NONE} if it names none
 * @param event the id of the event of {@code /chat} behind which it goes on in place of an offset; null if it names none
 */
record FollowQuery(
        Kind kind,
        long offset,
        boolean ids,
        long after,
        @Nullable String event) {
    /** The offset of a request that names none that is a number, or several. */
    static final long INVALID = -1;

    private static final long NONE = -1;
    private static final AsciiString LAST_EVENT_ID = AsciiString.cached("last-event-id");
    private static final int LONGEST = 18;

    /** What a request is that is answered by a stream. */
    enum Kind {
        /** One for the stream. */
        READ,
        /** One for the head alone. */
        HEAD,
        /** One that an earlier one of the same name answers. */
        REPLAY,
        /** That of an EventSource to {@code /chat} which connects again, and stops at 204. */
        CHAT
    }

    /** What a request for a stream says. */
    static FollowQuery of(HttpRequest request, Target target) {
        Kind kind = request.method().equals(HttpMethod.HEAD) ? Kind.HEAD : Kind.READ;
        return of(kind, request.headers(), new QueryStringDecoder(target.query()).parameters());
    }

    /** What a request that is answered by an earlier one's stream says. */
    static FollowQuery ofReplay(HttpHeaders headers) {
        return of(Kind.REPLAY, headers, Map.of());
    }

    /** For what follows an event of {@code /chat}. */
    static FollowQuery ofChat(String event) {
        return new FollowQuery(Kind.CHAT, 0, false, NONE, event);
    }

    private static FollowQuery of(Kind kind, HttpHeaders headers, Map<String, List<String>> parameters) {
        List<String> lastIds = headers.getAll(LAST_EVENT_ID);
        if (lastIds.isEmpty()) {
            lastIds = parameters.getOrDefault("lastEventId", List.of());
        }
        var named = new ArrayList<>(headers.getAll(HeaderRules.OFFSET));
        named.addAll(parameters.getOrDefault("offset", List.of()));
        named.addAll(lastIds);
        boolean ids = !lastIds.isEmpty() || asks(parameters.getOrDefault("ids", List.of()));
        List<String> after = parameters.getOrDefault("starting_after", List.of());
        long offset = number(named, 0);
        boolean twice = !after.isEmpty() && (!named.isEmpty() || number(after, NONE) < 0);
        return new FollowQuery(kind, twice ? INVALID : offset, ids, number(after, NONE), null);
    }

    /** Whether the head alone is wanted. */
    boolean headOnly() {
        return kind == Kind.HEAD;
    }

    /** Whether it is one of an EventSource, which takes an error for the end. */
    boolean isEventSource() {
        return ids || kind == Kind.CHAT;
    }

    /** Whether it goes on behind a {@code sequence_number}. */
    boolean isNumbered() {
        return after != NONE;
    }

    /** Looks for the place of the event that it names; null if it names none, or does not need the place. */
    @Nullable
    Seek seek(ByteBufAllocator alloc) {
        if (event != null) {
            return Seek.ofId(alloc, event);
        }
        return isNumbered() && !headOnly() ? Seek.ofSequenceNumber(alloc, after) : null;
    }

    /** The same from this offset on. */
    FollowQuery from(long found) {
        return new FollowQuery(kind, found, ids, NONE, null);
    }

    private static boolean asks(List<String> values) {
        return !values.isEmpty() && !values.get(0).equals("0") && !values.get(0).equals("false");
    }

    private static long number(List<String> named, long otherwise) {
        long number = named.isEmpty() ? otherwise : number(named.get(0));
        for (String other : named) {
            if (number(other) != number) {
                return INVALID;
            }
        }
        return number;
    }

    private static long number(String text) {
        boolean digits = !text.isEmpty() && text.length() <= LONGEST;
        for (int i = 0; digits && i < text.length(); i++) {
            digits = text.charAt(i) >= '0' && text.charAt(i) <= '9';
        }
        return digits ? Long.parseLong(text) : INVALID;
    }
}
