package io.millrace.server.relay;

import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.server.config.Heartbeat;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.format.ClientSide;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponse;

/**
 * An event stream that the relay begins by itself, where a route asks for heartbeats while no attempt has an answer yet.
 * An attempt that is committed goes on with it; if none is, it ends in an error. Confined to its event loop.
 */
final class EarlyStream {
    private final ClientStream downstream;
    private final FrameSink sink;
    private final ClientSide client;
    private final HeartbeatForm form;
    private final long intervalNs;
    private long beatNs;

    /** Writes {@code head} with the first heartbeat. */
    EarlyStream(ClientStream downstream, HttpResponse head, ClientSide client, Heartbeat heartbeat) {
        this.downstream = downstream;
        this.client = client;
        // Messages pings are legal only after message_start; a comment is, everywhere.
        HeartbeatForm asked = StreamRelay.form(heartbeat, client);
        form = asked == HeartbeatForm.PING_EVENT ? HeartbeatForm.COMMENT : asked;
        intervalNs = heartbeat.interval().toNanos();
        sink = downstream.newSink();
        downstream.beginStream(head, sink);
    }

    /** Whether the route wants one: it asks, and the client has a safe form. */
    static boolean isWanted(Heartbeat heartbeat, ClientSide client) {
        return heartbeat.early() && StreamRelay.form(heartbeat, client) != HeartbeatForm.NONE;
    }

    /** Writes a heartbeat if the last is an interval ago. */
    void onSweep(long nowNs) {
        if (beatNs != 0 && (nowNs - beatNs < intervalNs || downstream.pendingBytes() > 0)) {
            return;
        }
        beatNs = nowNs;
        ByteBuf bytes = form.bytes();
        sink.append(bytes, bytes.readerIndex(), bytes.writerIndex());
        sink.write();
        downstream.flush();
    }

    /**
     * Appends the error frame that ends it.
     *
     * @return false if there is none, because the dialect is not known
     */
    boolean writeError(RelayError error, String message, String requestId) {
        String full = message + " after 0 output frames, " + sink.bodyBytes() + " bytes";
        ByteBuf frame = client.errorFrame(downstream.alloc(), error, full, -1, requestId);
        if (frame == null) {
            return false;
        }
        try {
            sink.append(frame, frame.readerIndex(), frame.writerIndex());
        } finally {
            frame.release();
        }
        return true;
    }

    /** Appends the end that its client has asked for, which no output goes before. */
    void writeStop(StreamStop stop) {
        ByteBuf ending = client.stopFrames(downstream.alloc(), stop);
        try {
            if (ending.isReadable()) {
                sink.append(ending, ending.readerIndex(), ending.writerIndex());
            }
        } finally {
            ending.release();
        }
    }

    /** Body bytes written to the client. */
    long bodyBytes() {
        return sink.bodyBytes();
    }
}
