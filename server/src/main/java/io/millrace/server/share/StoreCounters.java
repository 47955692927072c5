package io.millrace.server.share;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What happens between a node and the store of its streams. For any thread. */
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

    /** The store has refused something; the first word of a refusal is its kind. */
    void refused(String refusal) {
        int end = refusal.indexOf(' ');
        String word = end < 0 ? refusal : refusal.substring(0, end);
        boolean known = word.matches("[A-Z]{2,16}");
        errors.computeIfAbsent(known ? word : "ERR", kind -> new LongAdder()).increment();
    }

    /** The connection was lost. */
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

    /** Bytes of streams that the store does not have yet, as last looked at. */
    public long unshipped() {
        return unshipped.get();
    }

    /** Refusals by their kind, and lost connections. */
    public Map<String, LongAdder> errors() {
        return Map.copyOf(errors);
    }

    /** Streams of this node that another node has ended. */
    public long fencedTotal() {
        return fenced.sum();
    }

    /** Streams of other nodes that this node has ended, because those are gone. */
    public long lostTotal() {
        return lost.sum();
    }
}
