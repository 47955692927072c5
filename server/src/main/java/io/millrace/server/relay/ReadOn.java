package io.millrace.server.relay;

import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.balance.OriginAttempt;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Timeouts;
import io.millrace.server.http.ReadListener;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import io.millrace.server.upstream.CallListener;
import io.millrace.server.upstream.StreamListener;
import io.millrace.server.upstream.UpstreamCall;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponse;
import java.util.concurrent.TimeUnit;

/**
 * Reads an upstream's stream to its end after its client has closed, for the usage at the end. Bounded in time and in
 * output frames. At a bound the upstream is cancelled. Confined to its event loop.
 */
final class ReadOn implements CallListener, StreamListener, ReadListener, Sweepable {
    private final RelayLoop loop;
    private final UpstreamCall upstream;
    private final StreamInspector inspector;
    private final SseFrameDecoder frames;
    private final OriginAttempt origin;
    private final Timeouts timeouts;
    private final long maxOutputFrames;
    private final long untilNs;
    private final Runnable done;
    private final Sweeper.Registration sweep;
    private final Runnable cancel = this::cancel;
    private long lastByteNs = System.nanoTime();
    private boolean over;

    /**
     * Takes over the rest of a stream.
     *
     * @param stream the state of the stream so far
     * @param scope the place of the attempt
     * @param done called once, after the last data
     */
    ReadOn(
            RelayLoop loop,
            UpstreamCall upstream,
            StreamRelay stream,
            UpstreamAnswer.Scope scope,
            Disconnect bounds,
            Runnable done) {
        this.loop = loop;
        this.upstream = upstream;
        origin = scope.origin();
        inspector = stream.state().inspector();
        frames = stream.frames();
        timeouts = scope.timeouts();
        maxOutputFrames = inspector.outputFrames() + bounds.maxFrames();
        untilNs = System.nanoTime() + bounds.maxTime().toNanos();
        this.done = done;
        sweep = loop.sweeper().add(this);
        loop.readingOn().add(cancel);
        upstream.handOver(this, this, this);
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        inspector.inspect(buf, start, end);
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        inspector.inspectPiece(buf, start, end, first, last);
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        // It belongs to a line that has already ended.
    }

    @Override
    public void onRead(ByteBuf raw) {
        lastByteNs = System.nanoTime();
    }

    @Override
    public void onReadComplete() {
        if (over) {
            return;
        }
        reportOutput();
        if (inspector.end() == StreamEnd.DONE) {
            upstream.release(StreamAnswer.AFTER_TERMINAL_MS);
            end();
        } else if (inspector.outputFrames() >= maxOutputFrames) {
            cancel();
        }
    }

    @Override
    public void onBodyEnd() {
        if (over) {
            return;
        }
        ByteBuf tail = frames.takeTail();
        if (tail != null) {
            inspector.inspectTail(tail, tail.readerIndex(), tail.writerIndex());
            tail.release();
        }
        reportOutput();
        upstream.release(0);
        end();
    }

    @Override
    public void onBroken(Breakage breakage) {
        end();
    }

    @Override
    public void onSweep(long nowNs) {
        if (nowNs - lastByteNs > patienceNs() || nowNs - untilNs >= 0) {
            cancel();
        }
    }

    @Override
    public void onHead(HttpResponse head) {
        throw new IllegalStateException("a second head, which the connection does not deliver");
    }

    @Override
    public void onBody(ByteBuf content) {
        content.release();
    }

    /** Ends the connection to the upstream at once. */
    private void cancel() {
        if (!over) {
            upstream.abort();
            end();
        }
    }

    /** How long the upstream may be silent. */
    private long patienceNs() {
        return switch (inspector.end()) {
            case OPEN -> timeouts.idle().toNanos();
            case FINISHED -> timeouts.terminalGrace().toNanos();
            default -> TimeUnit.MILLISECONDS.toNanos(StreamAnswer.AFTER_TERMINAL_MS);
        };
    }

    /** Reports the origin's output. The origin works, although its client did not wait. */
    private void reportOutput() {
        if (inspector.outputFrames() > 0) {
            origin.onFirstOutput(lastByteNs);
        }
    }

    private void end() {
        if (!over) {
            over = true;
            sweep.cancel();
            loop.readingOn().remove(cancel);
            done.run();
        }
    }
}
