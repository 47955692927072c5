package io.millrace.server.share;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The place of a stream, which its id contains.
 *
 * @param node the node's name; empty if the node shares nothing
 * @param loop the number of the event loop
 */
public record StreamId(String node, int loop) {
    private static final Pattern ID = Pattern.compile("(?:([a-z0-9]{8})\\.)?([0-9]{1,4})-[0-9a-f]{1,64}");

    /** The place in {@code id}; null if it is not the id of a stream. */
    public static @Nullable StreamId of(String id) {
        Matcher parts = ID.matcher(id);
        if (!parts.matches()) {
            return null;
        }
        String node = parts.group(1);
        return new StreamId(node == null ? "" : node, Integer.parseInt(parts.group(2)));
    }
}
