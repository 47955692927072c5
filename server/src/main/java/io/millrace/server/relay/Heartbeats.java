package io.millrace.server.relay;

import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.format.ClientSide;
import io.millrace.server.telemetry.LoopCounters;
import io.netty.buffer.ByteBuf;

/** Keeps an event stream to a client alive while nothing else is written. Confined to its event loop. */
final class Heartbeats {
    private final ClientStream downstream;
    private final FrameSink sink;
    private final HeartbeatForm form;
    private final long intervalNs;
    private final LoopCounters counters;
    private long beatNs;

    /**
     * Creates the heartbeats of one stream.
     *
     * @param sink the sink of the stream
     * @param sinceNs the start of the first interval
     * @param counters counts each heartbeat
     */
    Heartbeats(
            ClientStream downstream,
            FrameSink sink,
            ClientSide client,
            Heartbeat settings,
            long sinceNs,
            LoopCounters counters) {
        this.downstream = downstream;
        this.sink = sink;
        beatNs = sinceNs;
        this.counters = counters;
        form = form(settings, client);
        intervalNs = settings.interval().toNanos();
    }

    /**
     * Whether a route sends heartbeats before there is an answer: it is configured so, and the client's format has a
     * safe form.
     */
    static boolean wantedEarly(Heartbeat settings, ClientSide client) {
        return settings.early() && form(settings, client) != HeartbeatForm.NONE;
    }

    private static HeartbeatForm form(Heartbeat settings, ClientSide client) {
        return settings.interval().isZero() ? HeartbeatForm.NONE : client.heartbeat(settings.form());
    }

    /** Like {@link #beat(long, long, boolean)}, if nothing but heartbeats is written. */
    void beat(long nowNs, boolean begun) {
        beat(nowNs, beatNs, begun);
    }

    /**
     * Writes and flushes a heartbeat, if nothing was written for the interval and the client has taken all data.
     *
     * @param writtenNs when something else was written last
     * @param begun whether the stream has had content; a ping of Messages is allowed only then, and a comment before
     */
    void beat(long nowNs, long writtenNs, boolean begun) {
        long silentNs = Math.min(nowNs - beatNs, nowNs - writtenNs);
        boolean due = form != HeartbeatForm.NONE && silentNs >= intervalNs;
        if (!due || !downstream.awaitsMore()) {
            return;
        }
        boolean early = form == HeartbeatForm.PING_EVENT && !begun;
        ByteBuf bytes = (early ? HeartbeatForm.COMMENT : form).bytes();
        sink.append(bytes, bytes.readerIndex(), bytes.writerIndex());
        sink.write();
        downstream.flush();
        beatNs = nowNs;
        counters.heartbeat();
    }
}
