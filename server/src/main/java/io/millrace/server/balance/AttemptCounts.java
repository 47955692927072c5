package io.millrace.server.balance;

import static java.util.Objects.requireNonNull;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** The attempts at one origin, by why they were made and why they failed. All event loops share it. */
public final class AttemptCounts {
    /** Further reasons are counted together, because upstreams choose statuses. */
    private static final int MAX_REASONS = 50;

    private static final String OTHER = "other";

    private final Map<Kind, LongAdder> begun = new EnumMap<>(Kind.class);
    private final Map<String, LongAdder> failures = new ConcurrentHashMap<>();

    /** Why an attempt is made. */
    public enum Kind {
        /** It is the first of its request. */
        FIRST,
        /** The attempt before it, at the same upstream, has failed. */
        RETRY,
        /** The attempt before it, at another upstream, has failed. */
        FALLBACK,
        /** The first attempt has no output yet. */
        HEDGE
    }

    AttemptCounts() {
        for (Kind kind : Kind.values()) {
            begun.put(kind, new LongAdder());
        }
    }

    /** An attempt began. */
    public void onBegin(Kind kind) {
        requireNonNull(begun.get(kind)).increment();
    }

    /** An attempt failed for {@code reason}, such as {@code 503} or {@code reset}. */
    public void onFailure(String reason) {
        boolean known = failures.containsKey(reason) || failures.size() < MAX_REASONS;
        failures.computeIfAbsent(known ? reason : OTHER, key -> new LongAdder()).increment();
    }

    /** The attempts of this kind that have begun. */
    public long begun(Kind kind) {
        return requireNonNull(begun.get(kind)).sum();
    }

    /** The attempts that have failed, by reason. */
    public Map<String, Long> failures() {
        var counts = new TreeMap<String, Long>();
        failures.forEach((reason, count) -> counts.put(reason, count.sum()));
        return counts;
    }
}
