package io.millrace.server.live;

import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/** The streams of one event loop, or of several, at one moment: how many there are, and the first of them in an order. */
final class Tally {
    private final LiveQuery query;
    private final long nowNs;
    private final Comparator<LiveStream> order;
    /** The first of the streams, the last of these in front. */
    private final PriorityQueue<LiveStream> top;

    private final Map<LiveStream.State, Integer> states = new EnumMap<>(LiveStream.State.class);
    private int total;
    private int matched;
    private int stalled;
    private long held;

    /** No stream yet. */
    Tally(LiveQuery query, long nowNs) {
        this.query = query;
        this.nowNs = nowNs;
        order = query.order(nowNs);
        top = new PriorityQueue<>(order.reversed());
    }

    /** Adds a stream. */
    void add(LiveStream stream) {
        total++;
        states.merge(stream.state(), 1, Integer::sum);
        held += stream.held();
        stalled += stream.isStalled(nowNs) ? 1 : 0;
        if (query.wants(stream)) {
            matched++;
            rank(stream);
        }
    }

    /** Adds all streams of another tally. */
    void addAll(Tally other) {
        total += other.total;
        matched += other.matched;
        stalled += other.stalled;
        held += other.held;
        other.states.forEach((state, count) -> states.merge(state, count, Integer::sum));
        other.top.forEach(this::rank);
    }

    private void rank(LiveStream stream) {
        if (top.size() < query.top()) {
            top.add(stream);
        } else if (order.compare(stream, top.element()) < 0) {
            top.remove();
            top.add(stream);
        }
    }

    /** The moment for which the streams are compared. */
    long nowNs() {
        return nowNs;
    }

    /** All streams. */
    int total() {
        return total;
    }

    /** Those that the filter takes. */
    int matched() {
        return matched;
    }

    /** Those whose upstream has been silent for too long. */
    int stalled() {
        return stalled;
    }

    /** How many are in each state in which there are some. */
    Map<LiveStream.State, Integer> states() {
        return states;
    }

    /** The bytes that all of them hold. */
    long held() {
        return held;
    }

    /** The first streams that the filter takes, in their order. */
    List<LiveStream> top() {
        return top.stream().sorted(order).toList();
    }
}
