package io.millrace.server.relay;

import io.millrace.codec.dialect.FrameKind;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.telemetry.Timeline;
import org.jspecify.annotations.Nullable;

/**
 * Writes and flushes the data in a stream's sink. Stamps when frames came, and when the kernel took the first output.
 */
final class StreamFlusher {
    private final ClientStream downstream;
    private final FrameSink sink;
    private final Timeline timeline;
    private final Heartbeats heartbeats;
    private long readNs;
    private boolean unflushed;
    private boolean outputUnstamped;
    private long flushedNs;

    StreamFlusher(ClientStream downstream, FrameSink sink, Timeline timeline, Heartbeats heartbeats) {
        this.downstream = downstream;
        this.sink = sink;
        this.timeline = timeline;
        this.heartbeats = heartbeats;
        flushedNs = timeline.startNs;
    }

    /** A frame has come. All frames of one read have the same time. */
    void onFrame(FrameKind kind) {
        if (readNs == 0) {
            readNs = System.nanoTime();
            if (timeline.firstFrameNs == 0) {
                timeline.firstFrameNs = readNs;
            }
        }
        if (kind == FrameKind.OUTPUT) {
            outputUnstamped |= timeline.firstOutputNs == 0;
            timeline.onOutput(readNs);
        }
    }

    /** All frames of one read have come. Returns the time of that read. */
    long onReadComplete() {
        long nowNs = readNs != 0 ? readNs : System.nanoTime();
        timeline.lastByteNs = nowNs;
        readNs = 0;
        return nowNs;
    }

    /** Writes and flushes pending data. */
    void flush(long nowNs) {
        if (sink.hasPending()) {
            unflushed = true;
            sink.write(takeWriteNotice());
        }
        if (unflushed) {
            unflushed = false;
            downstream.flush();
            flushedNs = nowNs;
        }
    }

    /** The action for when the kernel has the next write, if that has the first output; otherwise null. */
    @Nullable
    Runnable takeWriteNotice() {
        if (!outputUnstamped) {
            return null;
        }
        outputUnstamped = false;
        return () -> timeline.firstOutputWrittenNs = System.nanoTime();
    }

    /** Writes a heartbeat if nothing was written to the client for its interval. */
    void beat(long nowNs, boolean contentSeen) {
        heartbeats.beat(nowNs, flushedNs, contentSeen);
    }
}
