package io.millrace.server.telemetry;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The histograms of one event loop: written by that loop alone, read by any thread. */
public final class LoopHistograms {
    static final String NONE = "none";

    final Map<String, OfUpstream> byUpstream = new ConcurrentHashMap<>();
    final Map<Served, OfModel> byModel = new ConcurrentHashMap<>();
    private final boolean natively;
    final Distribution requestSize;
    final Distribution lag;

    /** An upstream, and a model that it was asked for. */
    record Served(String upstream, String model) {}

    /** The histograms of one upstream. */
    static final class OfUpstream {
        final Distribution added;
        final Distribution connect;
        final Distribution gap;

        OfUpstream(boolean natively) {
            added = new Distribution(Buckets.OWN, natively);
            connect = new Distribution(Buckets.OWN, natively);
            gap = new Distribution(Buckets.STREAM, natively);
        }
    }

    /** The histograms of one model at one upstream. */
    static final class OfModel {
        final Distribution ttft;
        final Distribution upstreamTtft;
        final Distribution longestGap;
        final Distribution streamed;
        final Distribution whole;

        OfModel(boolean natively) {
            ttft = new Distribution(Buckets.STREAM, natively);
            upstreamTtft = new Distribution(Buckets.STREAM, natively);
            longestGap = new Distribution(Buckets.STREAM, natively);
            streamed = new Distribution(Buckets.STREAM, natively);
            whole = new Distribution(Buckets.STREAM, natively);
        }
    }

    /** @param natively whether there are also native histograms */
    LoopHistograms(boolean natively) {
        this.natively = natively;
        requestSize = new Distribution(Buckets.SIZE, natively);
        lag = new Distribution(Buckets.OWN, natively);
    }

    /** Whether there are also native histograms. */
    boolean isNative() {
        return natively;
    }

    /** The gaps between the output frames of one upstream. */
    Distribution gaps(String upstream) {
        return of(upstream).gap;
    }

    /** A connection to {@code upstream} was opened, which took {@code tookNs} with its TLS handshake. */
    public void connected(String upstream, long tookNs) {
        of(upstream).connect.record(tookNs);
    }

    /** The event loop ran a task {@code lateNs} after its time. */
    public void late(long lateNs) {
        lag.record(lateNs);
    }

    /** An exchange ended; {@code model} is one of few. */
    void ended(Summary summary, String model) {
        requestSize.record(summary.request().bytes());
        if (summary.attempts().begun() == 0) {
            return;
        }
        String upstream = upstream(summary);
        OfModel its = byModel.computeIfAbsent(new Served(upstream, model), key -> new OfModel(natively));
        Timeline time = summary.timeline();
        boolean stream = summary.stream() != null;
        (stream ? its.streamed : its.whole).record(time.endNs - time.startNs);
        if (!stream || time.firstOutputNs == 0) {
            return;
        }
        its.upstreamTtft.record(time.upstreamTtftNs());
        its.longestGap.record(time.longestGapNs);
        if (time.firstOutputWrittenNs != 0) {
            its.ttft.record(time.ttftNs());
            of(upstream).added.record(time.ttftNs() - time.upstreamTtftNs());
        }
    }

    static String upstream(Summary summary) {
        String name = summary.attempts().last().upstream();
        return name == null ? NONE : name;
    }

    private OfUpstream of(String upstream) {
        OfUpstream known = byUpstream.get(upstream);
        return known != null ? known : byUpstream.computeIfAbsent(upstream, key -> new OfUpstream(natively));
    }
}
