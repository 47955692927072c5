package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The response to one call, in either version of HTTP: its listener, the body of its event stream, and the timer that
 * ends a wait. Confined to the event loop.
 */
abstract class UpstreamResponse {
    private static final int MAX_INTERIM_RESPONSES = 8;

    private final EventLoop loop;
    /** Null once nobody needs the response any more. */
    @Nullable
    CallListener listener;
    /** The body of an event stream; null until it begins, and at the end. */
    @Nullable
    StreamBody stream;
    /** Set for a stream whose content coding is removed. */
    @Nullable
    InflationTurns turns;

    int interimResponses;
    boolean readingWanted = true;
    private @Nullable ScheduledFuture<?> limit;

    UpstreamResponse(EventLoop loop, CallListener listener) {
        this.loop = loop;
        this.listener = listener;
    }

    abstract boolean isOver();

    abstract boolean awaitsHead();

    /** See {@link UpstreamCall#reading}. */
    abstract void reading(boolean on);

    /** See {@link UpstreamCall#release}. */
    abstract void release(long graceMs);

    /** See {@link UpstreamCall#abort}. */
    abstract void abort();

    /** Inflates more of the remaining data, in a turn of the event loop. */
    abstract void inflate();

    /** See {@link UpstreamCall#beginStream}. */
    void beginStream(HttpResponse head, SseFrameDecoder frames, StreamListener frameListener, ReadListener reads) {
        StreamBody begun = StreamBody.of(head, frames, frameListener, reads);
        stream = begun;
        if (begun.isInflated()) {
            turns = new InflationTurns(begun, loop, this::inflate);
        }
    }

    final boolean isStreaming() {
        return stream != null;
    }

    /** See {@link UpstreamCall#handOver}. */
    final void handOver(CallListener next, StreamListener frameListener, ReadListener reads) {
        if (stream == null) {
            throw new IllegalStateException("no event stream to hand over");
        }
        listener = next;
        stream.handOver(frameListener, reads);
        reading(true);
    }

    /** Why this interim response cannot be accepted; null if it can. It is counted here. */
    final @Nullable String interimViolation() {
        return ++interimResponses > MAX_INTERIM_RESPONSES
                ? "interim responses: more than " + MAX_INTERIM_RESPONSES
                : null;
    }

    /** Tells the listener for the last time, even if there is no memory for the last data. */
    static void tellBroken(@Nullable CallListener told, Breakage breakage) {
        if (told != null) {
            try {
                told.onBroken(breakage);
            } catch (OutOfMemoryError e) {
                told.onBroken(Breakage.ofNoMemory(e));
            }
        }
    }

    /** Runs {@code action} after this time, unless {@link #cancelLimit} comes first. */
    final void limit(long delayMs, Runnable action) {
        limit = loop.schedule(action, delayMs, TimeUnit.MILLISECONDS);
    }

    final void cancelLimit() {
        if (limit != null) {
            limit.cancel(false);
            limit = null;
        }
    }

    /** Releases everything that this class holds. */
    final void close() {
        cancelLimit();
        if (stream != null) {
            stream.close();
            stream = null;
        }
        if (turns != null) {
            turns.close();
            turns = null;
        }
    }
}
