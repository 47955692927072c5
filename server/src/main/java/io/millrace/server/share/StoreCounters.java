package io.millrace.server.share;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** Counts how a node uses the store of streams. Thread-safe. */
public final class StoreCounters {
    private final Map<String, LongAdder> errors = new ConcurrentHashMap<>();
    private final LongAdder fenced = new LongAdder();
    private final LongAdder lost = new LongAdder();
    private final AtomicInteger links = new AtomicInteger();
    private final AtomicInteger up = new AtomicInteger();
    private final AtomicLong unshipped = new AtomicLong();

    void link() {
        links.incrementAndGet();
    }

    void up(int change) {
        up.addAndGet(change);
    }

    void unshipped(long change) {
        unshipped.addAndGet(change);
    }

    /** Counts a refusal of the store. Its first word is its kind. */
    void refused(String refusal) {
        int end = refusal.indexOf(' ');
        String word = end < 0 ? refusal : refusal.substring(0, end);
        boolean known = word.matches("[A-Z]{2,16}");
        errors.computeIfAbsent(known ? word : "ERR", kind -> new LongAdder()).increment();
    }

    /** Counts a lost connection. */
    void disconnected() {
        errors.computeIfAbsent("disconnected", kind -> new LongAdder()).increment();
    }

    void fenced() {
        fenced.increment();
    }

    void lost() {
        lost.increment();
    }

    /** Whether all event loops are connected. */
    public boolean isUp() {
        return links.get() > 0 && up.get() == links.get();
    }

    /** The number of bytes that the store does not have yet, as of the last look. */
    public long unshipped() {
        return unshipped.get();
    }

    /** The number of refusals by kind, and of lost connections. */
    public Map<String, LongAdder> errors() {
        return Map.copyOf(errors);
    }

    /** The number of streams of this node that another node has ended. */
    public long fencedTotal() {
        return fenced.sum();
    }

    /** The number of streams that this node has ended because their nodes were gone. */
    public long lostTotal() {
        return lost.sum();
    }
}
