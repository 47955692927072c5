package io.millrace.server.relay;

import io.millrace.server.http.HeaderRules;
import io.millrace.server.http.Target;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * From where a request wants to read a stream, and in what form.
 *
 * @param offset of the first byte; {@link #INVALID} if the request does not say it in one way
 * @param ids whether each event is to have its end as its id, for an EventSource
 * @param headOnly whether the head alone is wanted
 */
record FollowQuery(long offset, boolean ids, boolean headOnly) {
    /** The offset of a request that names none that is a number, or several. */
    static final long INVALID = -1;

    private static final AsciiString LAST_EVENT_ID = AsciiString.cached("last-event-id");
    private static final int LONGEST = 18;

    static FollowQuery of(HttpRequest request, Target target) {
        Map<String, List<String>> parameters = new QueryStringDecoder(target.query()).parameters();
        HttpHeaders headers = request.headers();
        List<String> lastIds = headers.getAll(LAST_EVENT_ID);
        if (lastIds.isEmpty()) {
            lastIds = parameters.getOrDefault("lastEventId", List.of());
        }
        var named = new ArrayList<>(headers.getAll(HeaderRules.OFFSET));
        named.addAll(parameters.getOrDefault("offset", List.of()));
        named.addAll(lastIds);
        boolean ids = !lastIds.isEmpty() || asks(parameters.getOrDefault("ids", List.of()));
        return new FollowQuery(offset(named), ids, request.method().equals(HttpMethod.HEAD));
    }

    private static boolean asks(List<String> values) {
        return !values.isEmpty() && !values.get(0).equals("0") && !values.get(0).equals("false");
    }

    private static long offset(List<String> named) {
        long offset = named.isEmpty() ? 0 : number(named.get(0));
        for (String other : named) {
            if (number(other) != offset) {
                return INVALID;
            }
        }
        return offset;
    }

    private static long number(String text) {
        boolean digits = !text.isEmpty() && text.length() <= LONGEST;
        for (int i = 0; digits && i < text.length(); i++) {
            digits = text.charAt(i) >= '0' && text.charAt(i) <= '9';
        }
        return digits ? Long.parseLong(text) : INVALID;
    }
}
