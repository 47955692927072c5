package io.millrace.server.redis;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a Redis server does when its memory is full. */
final class Eviction {
    private static final Pattern POLICY = Pattern.compile("(?m)^maxmemory_policy:(\\S+)");
    private static final String GOOD = "noeviction";

    private Eviction() {}

    /**
     * A warning if the server evicts streams. All keys of the relay have an end, so those policies that evict only such
     * keys do so, too.
     *
     * @param info the answer to {@code INFO memory}
     * @return null if it does not, or has not said what it does
     */
    static @Nullable String warning(@Nullable Object info) {
        String text = info instanceof byte[] bytes ? new String(bytes, StandardCharsets.UTF_8) : "";
        Matcher policy = POLICY.matcher(text);
        return !policy.find() || policy.group(1).equals(GOOD)
                ? null
                : "maxmemory-policy is " + policy.group(1)
                        + ": when its memory is full, Redis drops streams that clients may still read (expected: "
                        + GOOD
                        + ")";
    }
}
