package io.millrace.server.live;

import io.millrace.server.address.ClientAddress;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which streams a watcher sees, as the query of its request says.
 *
 * @param column by which they are sorted
 * @param ascending whether the smallest value comes first
 * @param top the most streams that are shown
 * @param filter a part of a text of each shown stream, in lower case; empty for all streams
 */
record LiveQuery(LiveColumn column, boolean ascending, int top, String filter) {
    private static final int DEFAULT_TOP = 100;
    private static final int MOST_TOP = 200;
    private static final int LONGEST_FILTER = 100;

    /**
     * Reads {@code ?sort=COLUMN&order=asc&top=N&filter=TEXT}. A parameter that is missing or wrong has its default.
     *
     * @param query with its question mark, or empty
     */
    static LiveQuery of(String query) {
        Map<String, List<String>> parameters = parameters(query);
        String filter = first(parameters, "filter").strip().toLowerCase(Locale.ROOT);
        return new LiveQuery(
                LiveColumn.named(first(parameters, "sort")),
                first(parameters, "order").equals("asc"),
                top(first(parameters, "top")),
                filter.substring(0, Math.min(filter.length(), LONGEST_FILTER)));
    }

    /** The order of the streams: the first is shown first. */
    Comparator<LiveStream> order(long nowNs) {
        Comparator<LiveStream> order = column.order(nowNs);
        return (ascending ? order : order.reversed()).thenComparing(LiveStream::id);
    }

    /** Whether the watcher wants to see the stream. */
    boolean wants(LiveStream stream) {
        return filter.isEmpty()
                || has(stream.id())
                || has(stream.caller())
                || has(stream.path())
                || has(stream.model())
                || has(stream.upstream())
                || has(stream.origin())
                || has(stream.state().label())
                || has(ClientAddress.text(stream.address()));
    }

    private boolean has(@Nullable String text) {
        return text != null && text.toLowerCase(Locale.ROOT).contains(filter);
    }

    private static int top(String text) {
        try {
            return Math.max(1, Math.min(MOST_TOP, Integer.parseInt(text)));
        } catch (NumberFormatException e) {
            return DEFAULT_TOP;
        }
    }

    private static Map<String, List<String>> parameters(String query) {
        try {
            return new QueryStringDecoder(query).parameters();
        } catch (IllegalArgumentException e) { // a percent sign that encodes nothing
            return Map.of();
        }
    }

    private static String first(Map<String, List<String>> parameters, String name) {
        List<String> values = parameters.get(name);
        return values == null ? "" : values.get(0);
    }
}
